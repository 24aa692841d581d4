"""What the shipped data says of whole expressions: types flow along chains, and effects stand at their ends.

The evaluator below knows calls, attributes, subscripts, `with`, `for` and assignments, no more.
"""

from __future__ import annotations

import ast
import builtins

import pytest

from loopsafe.catalog import NONE, UNKNOWN, Catalog, Fact, Guard, Named, SelfType, TypeExpr, Union, When, load

CATALOG = load()


class Reader:
    """Evaluates statements of dotted names against the catalogue and notes every fact that it meets."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self.met: list[Fact] = []
        self.names: dict[str, TypeExpr | str] = {}

    def run(self, text: str) -> list[Fact]:
        for statement in ast.parse(text).body:
            self.met = []
            self.execute(statement)
        return self.met

    def execute(self, node: ast.stmt) -> None:
        if isinstance(node, ast.Assign):
            assert isinstance(node.targets[0], ast.Name)
            self.names[node.targets[0].id] = self.value(node.value)
        elif isinstance(node, ast.With):
            for item in node.items:
                self.enter(item)
            for inner in node.body:
                self.met = [] if isinstance(inner, ast.Expr) else self.met
                self.execute(inner)
        elif isinstance(node, ast.For):
            self.touch(node.iter, When.ITER)
        elif isinstance(node, ast.Expr):
            self.value(node.value)

    def enter(self, item: ast.withitem) -> None:
        entered = self.touch(item.context_expr, When.ENTER)
        if isinstance(item.optional_vars, ast.Name):
            self.names[item.optional_vars.id] = entered

    def touch(self, node: ast.expr, when: When) -> TypeExpr:
        """Enter or iterate the value of an expression: the call's own facts, then those of the class."""
        value = self.value(node)
        if isinstance(node, ast.Call):
            for name in self.targets(node.func):
                self.met += self.catalog.facts(name, when)
        dunder = {When.ITER: "__iter__", When.ENTER: "__enter__"}[when]
        for name in self.members(value, dunder):
            self.met += self.catalog.facts(name, when)
        return self.called(value, dunder)

    def value(self, node: ast.expr) -> TypeExpr:
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.called(self.value(node.value), "__getitem__")
        if not isinstance(node, ast.Name | ast.Attribute):
            return UNKNOWN
        found = self.look_up(node)
        if isinstance(found, str):
            self.met += self.catalog.facts(found, When.PROPERTY)
            return Named(found) if self.catalog.is_class(found) else UNKNOWN
        return found

    def call(self, node: ast.Call) -> TypeExpr:
        targets = self.targets(node.func)
        for argument in node.args:
            if not (isinstance(argument, ast.Name) and argument.id not in self.names):
                self.value(argument)
        facts = [fact for name in targets for fact in self.catalog.facts(name, When.CALL)]
        self.met += [fact for fact in facts if not self.is_cancelled(fact, node)]
        receiver = self.value(node.func.value) if isinstance(node.func, ast.Attribute) else UNKNOWN
        results = [self.bind(self.catalog.returns(name) or UNKNOWN, receiver) for name in targets]
        return results[0] if len(results) == 1 else Union(tuple(results)) if results else UNKNOWN

    def targets(self, node: ast.expr) -> list[str]:
        if isinstance(node, ast.Attribute):
            found = self.look_up(node.value)
            if not isinstance(found, str):
                named = self.members(found, node.attr)
                return named or self.members(self.attribute(found, node.attr), "__call__")
        found = self.look_up(node)
        return [found] if isinstance(found, str) else self.members(found, "__call__")

    def look_up(self, node: ast.expr) -> TypeExpr | str:
        """A value's type, or the canonical name of what is no value."""
        if isinstance(node, ast.Name):
            known = self.names.get(node.id)
            name = f"builtins.{node.id}" if hasattr(builtins, node.id) else node.id
            return self.catalog.canonical(name) if known is None else known
        if isinstance(node, ast.Attribute):
            owner = self.look_up(node.value)
            if isinstance(owner, str):
                return self.catalog.canonical(f"{owner}.{node.attr}")
            return self.attribute(owner, node.attr)
        return self.value(node)

    def attribute(self, owner: TypeExpr, attr: str) -> TypeExpr:
        for name in self.members(owner, attr):
            self.met += self.catalog.facts(name, When.PROPERTY)
        options = owner.options if isinstance(owner, Union) else (owner,)
        named = [option for option in options if isinstance(option, Named)]
        types = [self.catalog.attribute(option.name, attr) for option in named]
        return next((self.bind(found, owner) for found in types if found is not None), UNKNOWN)

    def members(self, owner: TypeExpr, attr: str) -> list[str]:
        options = owner.options if isinstance(owner, Union) else (owner,)
        found = [self.catalog.find(option.name, attr) for option in options if isinstance(option, Named)]
        return [name for name in found if name is not None]

    def called(self, owner: TypeExpr, attr: str) -> TypeExpr:
        if isinstance(owner, Named) and owner.name in ("typing.ContextManager", "typing.Iterator"):
            return owner.args[0]
        options = owner.options if isinstance(owner, Union) else (owner,)
        for option in options:
            for name in self.members(option, attr):
                return self.bind(self.catalog.returns(name) or UNKNOWN, option)
        return UNKNOWN

    def bind(self, found: TypeExpr, receiver: TypeExpr) -> TypeExpr:
        return receiver if isinstance(found, SelfType) else found

    def is_cancelled(self, fact: Fact, node: ast.Call) -> bool:
        for guard in fact.unless:
            given = next((word.value for word in node.keywords if word.arg and word.arg == guard.name), None)
            if given is None and guard.position is not None and guard.position < len(node.args):
                given = node.args[guard.position]
            if self.holds(guard, given):
                return True
        return False

    def holds(self, guard: Guard, given: ast.expr | None) -> bool:
        if given is None or guard.absent:
            return given is None and guard.absent
        if guard.begins:
            return isinstance(given, ast.Constant) and str(given.value).startswith(guard.begins)
        if guard.equals is not None:
            constant = given.value if isinstance(given, ast.Constant) else None
            return constant == guard.equals and isinstance(constant, bool) == isinstance(guard.equals, bool)
        return guard.refers is None or guard.refers in ast.unparse(given).split(" | ")


def effects(text: str) -> set[str]:
    """The effects of the last statement."""
    return {fact.effect.value for fact in Reader(CATALOG).run(text)}


SYNC = 'sb = supabase.create_client("u", "k")\n'
ASYNC = 'sb = supabase.AsyncClient("u", "k")\n'
DB = 'c = psycopg2.connect("d")\n'

BLOCKING = [
    ("time.sleep(1)", "sleep"),
    ("open('a')", "file"),
    ("io.open('a').read()", "file"),
    ("with open('a') as f:\n    f.read()", "file"),
    ("f = open('a')\nfor line in f: pass", "file"),
    ("input()", "input"),
    ("sys.stdin.readline()", "input"),
    ("pathlib.Path('a').parent.joinpath('b').read_text()", "file"),
    ("pathlib.Path.home().open()", "file"),
    ("pathlib.Path('a').exists()", "metadata"),
    ("for x in pathlib.Path('a').iterdir(): pass", "metadata"),
    ("for x in os.walk('a'): pass", "file"),
    ("posixpath.exists('a')", "metadata"),
    ("os.spawnl(os.P_WAIT, 'a')", "process"),
    ("subprocess.run('x')", "process"),
    ("subprocess.Popen('x').wait()", "process"),
    ("with concurrent.futures.ThreadPoolExecutor() as ex:\n    ex.submit(print).result()", "wait"),
    ("concurrent.futures.thread.ThreadPoolExecutor().submit(print).result(timeout=5)", "wait"),
    ("asyncio.run_coroutine_threadsafe(1, 2).result()", "wait"),
    ("threading.Timer(1, print).join()", "wait"),
    ("queue.PriorityQueue().get()", "wait"),
    ("multiprocessing.Queue().get()", "wait"),
    ("multiprocessing.Pool().map(len, [])", "wait"),
    ("socket.create_connection(('h', 1)).recv(1)", "network"),
    ("smtplib.SMTP('h')", "network"),
    ("ftplib.FTP_TLS().login()", "network"),
    ("urllib.request.urlopen('u').read()", "network"),
    ("http.client.HTTPSConnection('h').getresponse()", "network"),
    ("xmlrpc.client.ServerProxy('u').foo.bar()", "network"),
    ("sqlite3.connect('f').execute('q').fetchall()", "database"),
    ("for row in sqlite3.connect('f').execute('q'): pass", "database"),
    ("tarfile.open('a')", "file"),
    ("asyncio.run(x)", "run-loop"),
    ("asyncio.get_event_loop().run_until_complete(x)", "drive-loop"),
    ("requests.sessions.Session().get('u')", "network"),
    ("requests.api.post('u')", "network"),
    ("s = requests.session()\ns.get('u')", "network"),
    ("with requests.Session() as s:\n    s.send(1)", "network"),
    ("for x in requests.get('u', stream=True).iter_content(10): pass", "network"),
    (SYNC + "sb.table('t').select('*').eq('a', 1).order('x').limit(1).execute()", "network"),
    (SYNC + "q = sb.from_('t').select('*')\nq = q.not_.is_('a', None)\nq.execute()", "network"),
    (SYNC + "sb.table('t').insert({}).execute()", "network"),
    (SYNC + "sb.table('t').select('*').maybe_single().execute()", "network"),
    (SYNC + "sb.schema('s').rpc('f', {}).single().execute()", "network"),
    (SYNC + "sb.storage.from_('b').download('p')", "network"),
    (SYNC + "sb.storage.list_buckets()", "network"),
    (SYNC + "sb.auth.admin.list_users()", "network"),
    (SYNC + "sb.auth.sign_in_with_password({})", "network"),
    (SYNC + "sb.functions.invoke('f')", "network"),
    ("supabase._sync.client.SyncClient('u', 'k').table('t').select('*').execute()", "network"),
    ("supabase.client.create_client('u', 'k').table('t').delete().eq('a', 1).execute()", "network"),
    ("gotrue.SyncGoTrueClient().get_user('j')", "network"),
    (DB, "database"),
    (DB + "c.cursor().execute('q')", "database"),
    (DB + "with c:\n    with c.cursor() as cur:\n        cur.fetchone()", "database"),
    (DB + "c.commit()", "database"),
    (DB + "for row in c.cursor(): pass", "database"),
    ("psycopg2.pool.ThreadedConnectionPool(1, 2).getconn().cursor().execute('q')", "database"),
    ("psycopg2.extras.RealDictCursor().fetchall()", "database"),
    ("psycopg2.extras.execute_values(1, 'q', [])", "database"),
    ("httpx.Client().get('u')", "network"),
    ("with httpx.stream('GET', 'u') as r: pass", "network"),
    ("redis.StrictRedis().hgetall('k')", "database"),
    ("redis.from_url('u').pipeline().set('a', 1).execute()", "database"),
    ("with redis.Redis().lock('a'): pass", "database"),
    ("pymongo.MongoClient()['d']['c'].find_one({})", "database"),
    ("pymongo.MongoClient().db.coll.insert_one({})", "database"),
    ("for x in pymongo.MongoClient().d.c.find({}).sort('a'): pass", "database"),
    ("S = sqlalchemy.orm.sessionmaker()\nS().query(1).filter(2).first()", "database"),
    ("openai.OpenAI().with_options(timeout=1).chat.completions.create()", "network"),
    ("google.cloud.storage.Client().bucket('b').blob('x').upload_from_string('a')", "network"),
    ("uvicorn.run(1)", "run-loop"),
    ("asgiref.sync.async_to_sync(print)()", "run-loop"),
    ("with psycopg_pool.ConnectionPool('d').connection() as c:\n    c.execute('q')", "database"),
]

QUIET = [
    "print('a')",
    "io.StringIO().read()",
    "io.TextIOWrapper(io.BytesIO(b'')).read()",
    "for line in io.BytesIO(b''): pass",
    "os.path.join('a', 'b')",
    "os.walk('a')",
    "pathlib.Path('a').with_suffix('x')",
    "pathlib.PurePath('a').joinpath('b')",
    "pathlib.Path('a').glob('*')",
    "os.spawnl(os.P_NOWAIT, 'a')",
    "os.waitpid(1, os.WNOHANG | os.WUNTRACED)",
    "subprocess.Popen('x')",
    "concurrent.futures.ThreadPoolExecutor().submit(print)",
    "concurrent.futures.Future().result(timeout=0)",
    "concurrent.futures.ThreadPoolExecutor().shutdown(wait=False)",
    "threading.Lock().acquire()",
    "threading.Thread(target=print).start()",
    "threading.Event().set()",
    "queue.Queue().get_nowait()",
    "queue.Queue().get(block=False)",
    "queue.Queue().get(False)",
    "queue.Queue().get(True, 0)",
    "queue.Queue().put(1)",
    "time.sleep(0)",
    "socket.socket()",
    "smtplib.SMTP()",
    "http.client.HTTPConnection('h')",
    "sqlite3.connect(':memory:')",
    "tarfile.open(fileobj=x)",
    "zipfile.ZipFile(x).read('a')",
    "asyncio.create_task(x).result()",
    "asyncio.Queue().get()",
    "asyncio.new_event_loop().run_in_executor(None, print)",
    "requests.Session()",
    "requests.get('u', stream=True)\nrequests.Request('GET', 'u').prepare()",
    SYNC,
    SYNC + "sb.table('t').select('*').eq('a', 1)",
    SYNC + "sb.storage.from_('b').get_public_url('p')",
    SYNC + "sb.functions",
    ASYNC + "sb.table('t').select('*').eq('a', 1).execute()",
    ASYNC + "sb.storage.from_('b').download('p')",
    ASYNC + "sb.auth.admin.list_users()",
    DB + "c.cursor()",
    DB + "c.close()",
    "psycopg2.extras.Json({})",
    "psycopg2.pool.SimpleConnectionPool(0, 2)",
    "httpx.Client()",
    "httpx.AsyncClient().get('u')",
    "httpx.Client().stream('GET', 'u')",
    "redis.Redis().pipeline().set('a', 1)",
    "redis.asyncio.Redis().get('k')",
    "redis.asyncio.from_url('u').pipeline().get('a').execute()",
    "pymongo.MongoClient()['d']['c'].find({})",
    "pymongo.AsyncMongoClient()['d']['c'].find_one({})",
    "sqlalchemy.orm.Session().query(1).filter(2)",
    "sqlalchemy.ext.asyncio.AsyncSession().execute(1)",
    "openai.AsyncOpenAI().chat.completions.create()",
    "aiohttp.ClientSession().get('u')",
    "anyio.Path('a').exists()",
    "trio.Path('a').read_text()",
    "asgiref.sync.async_to_sync(print)",
]


@pytest.mark.parametrize(("text", "effect"), BLOCKING)
def test_blocking(text: str, effect: str) -> None:
    assert effect in effects(text)


@pytest.mark.parametrize("text", QUIET)
def test_quiet(text: str) -> None:
    assert effects(text) == set()


def test_reader_binds_none_to_nothing() -> None:
    assert Reader(CATALOG).members(NONE, "get") == []
