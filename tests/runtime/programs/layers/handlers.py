from services import OrderService, service


async def create_order(payload):
    if payload["amount"] < 0:
        return {"error": "amount"}
    amount = service.place(**payload)
    return {"placed": amount}


async def list_orders(customer, limit=10):
    return {"orders": service.orders_of(customer)[:limit], "rating": OrderService.rating(customer)}


async def cancel_order(customer):
    return f"{customer}: {service.cancel(customer)} cancelled" if service.cancel(customer) else "nothing to cancel"
