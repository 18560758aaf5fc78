"""The public headers, read: every function with its docstring, how it is called, and its options.

The headers are the source. Comments and places are read from their text; what macros hide is asked of the
preprocessor: prototypes come from gradtape.h as it expands, an option list from its own expansion, and how a macro is
called from a call of it with marked arguments, ZA1, ZA2, ..., by looking where they end up:

    gt_norm(ZA1, ZA2)   ->   gt_norm_at("...", ZA1, ((const gt_norm_options *)&(...){..., .end = 0, ZA2}))

says that the first argument is the first parameter of gt_norm_at, `gt_Tensor *x`, and that options follow.

    read(root, compiler) -> Book     .functions by name, .types by name, .headers in the order of gradtape.h

A docstring is the comment above a function, or above the lines that belong to it: its option list, its macro, its
prototype. Functions that follow each other without an empty line share the comment above the first of them."""
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass, field

MARKS = 9  # as many arguments as any macro has, and some more
CALLABLE = re.compile(r'gt_\w*[A-Za-z0-9]$')


@dataclass
class Option:
    type: str
    name: str
    preset: str
    doc: str


@dataclass
class Function:
    name: str
    header: str = ''
    section: str = ''
    line: int = 0
    doc: str = ''
    returns: str = ''
    parameters: list = field(default_factory=list)  # [(type, name)]
    many: str = ''  # the type of items, where any number of them ends the call
    struct: str = ''  # of the options
    options: list = field(default_factory=list)
    group: list = field(default_factory=list)  # the names that share the docstring, this one among them


@dataclass
class Type:
    name: str
    header: str = ''
    section: str = ''
    line: int = 0
    doc: str = ''
    code: str = ''


@dataclass
class Header:
    path: str
    intro: str = ''
    names: list = field(default_factory=list)  # of functions and types, in their order


@dataclass
class Book:
    headers: list
    functions: dict
    types: dict


# Headers of libraries beside the first one, and as much of foreign headers as they need, which need not be installed.
BESIDE = ['mpi/distribute.h']
FOREIGN = {'mpi.h': 'typedef struct MPI_Comm_ *MPI_Comm;\n'}


def run_compiler(root, compiler, text, *flags):
    beside = ''.join(f'#include "{path}"\n' for path in BESIDE if os.path.isfile(f'{root}/{path}'))
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FOREIGN.items():
            with open(f'{folder}/{name}', 'w') as file:
                file.write(content)
        command = [*compiler, '-std=c17', *flags, '-I', folder, '-I', root, '-x', 'c', '-']
        return subprocess.run(command, input='#include "gradtape.h"\n' + beside + text, text=True, capture_output=True,
                              check=True, cwd=root).stdout


def preprocess(root, compiler, text, *flags):
    return run_compiler(root, compiler, text, '-E', '-P', *flags)


def split_arguments(text):
    """The arguments of a call from the text behind its opening parenthesis, and what comes after the closing one."""
    parts, depth, start, quote = [], 0, 0, ''
    for i, c in enumerate(text):
        if quote:
            quote = '' if c == quote and text[i - 1] != '\\' else quote
        elif c in '"\'':
            quote = c
        elif c in '([{':
            depth += 1
        elif c in ')]}':
            if depth == 0:
                parts.append(text[start:i].strip())
                return [p for p in parts if p], text[i + 1:]
            depth -= 1
        elif c == ',' and depth == 0:
            parts.append(text[start:i].strip())
            start = i + 1
    return [], ''


def parameter(text):
    """(type, name) of `const gt_Tensor *x`, `int64_t *const items[]`, `gt_Status (*f)(void *)`."""
    pointer = re.match(r'(.*?\(\*)(\w+)(\).*)', text)
    if pointer:
        return pointer[1] + pointer[3], pointer[2]
    m = re.match(r'(.*?[\s*])(\w+)((?:\[\w*\])*)$', text)
    return (m[1].strip() + m[3], m[2]) if m else (text, '')


def prototypes(root, compiler):
    """name -> (returns, [(type, name)]) of every exported function."""
    found = {}
    text = ' '.join(preprocess(root, compiler, '', '-DGT_BUILD').split()).replace('_Bool', 'bool')
    for statement in re.split(r'[;{}]', text):
        if 'visibility("default")' not in statement:
            continue
        statement = re.sub(r'.*visibility\("default"\)\)\)\s*', '', statement)
        statement = re.sub(r'\s*__attribute__.*', '', statement)
        m = re.match(r'(.*?[\s*])\(?(gt_\w+)\)?\s*\((.*)$', statement)
        if m:
            arguments, _ = split_arguments(m[3] + ('' if m[3].endswith(')') else ')'))
            found[m[2]] = (m[1].strip(), [parameter(a) for a in arguments if a != 'void'])
    return found


def option_lists(root, compiler, names):
    """struct -> options; of each NAME in `names`, which has a list NAME_OPTIONS."""
    text = '#define ROW_(S, type, name, preset, doc) @row@ #type @ #name @ #preset @ doc @end@\n'
    text += ''.join(f'@list@ {name} @ {name}_OPTIONS(ROW_, S)\n' for name in names)
    lists, current = {}, None
    out = preprocess(root, compiler, text)
    unquote = lambda t: ''.join(s.replace('\\"', '"').replace('\\\\', '\\') for s in re.findall(r'"((?:[^"\\]|\\.)*)"', t))
    for chunk in out.split('@list@')[1:]:
        name, rows = chunk.split('@', 1)
        current = lists[name.strip().replace('(', '').strip()] = []
        for row in rows.split('@row@')[1:]:
            parts = row.split('@end@')[0].split(' @ ', 3)
            current.append(Option(*(unquote(p) for p in parts)))
    return lists


def macro_names(root, compiler):
    """name -> parameters of every function-like macro."""
    out = run_compiler(root, compiler, '', '-E', '-dM')
    return {m[1]: m[2].split(',') for m in re.finditer(r'^#define (\w+)\(([^)]*)\)', out, re.M)}


def calls(root, compiler, macros):
    """name -> the expansion of a call with marked arguments."""
    marks = [f'ZA{i}' for i in range(1, MARKS + 1)]
    text = ''
    for name, arguments in macros.items():
        count = MARKS if '...' in arguments else len([a for a in arguments if a])
        text += f'@call@ {{{name}}} {name}({", ".join(marks[:count])})\n'
    out = ' '.join(preprocess(root, compiler, text).split())
    return {m[1]: m[2] for m in (re.match(r'\s*\{(\w+)\}(.*)', c) for c in out.split('@call@')[1:])}


def understand_call(f, macro, expansion, protos):
    """How the macro is called, from where the marked arguments end up: fills in parameters, options, result."""
    literal = re.match(r'\s*\(\((gt_\w+)\)\{\s*\(\s*(?:const )?([^()]*?)(?:\s*const)?\s*\[\]\)\s*\{', expansion)
    if literal:
        f.returns, f.many = literal[1], re.sub(r'^char', 'const char', literal[2].strip())
        return True
    chosen = re.match(r'_Generic\(.*default\s*:\s*(gt_\w+)', expansion) or re.match(r'_Generic\(.*?:\s*(gt_\w+)', expansion)
    if chosen and chosen[1] in protos and expansion.rstrip().endswith(')(ZA1)'):
        f.returns, f.parameters = protos[chosen[1]][0], [(f'{protos[chosen[1]][0]} or what becomes one', macro[0])]
        return True
    callee = next((m for m in re.finditer(r'\b(gt_\w+)\s*\)?\s*\(', expansion) if m[1] in protos), None)
    if not callee:
        return False
    returns, formal = protos[callee[1]]
    cast = re.match(r'\s*\(\((const [\w ]+\*)\)', expansion)
    f.returns = cast[1] if cast else returns
    arguments, _ = split_arguments(expansion[callee.end():])
    taken = {}  # mark -> (type, name)
    for (kind, name), argument in zip(formal, arguments):
        marks = re.findall(r'\bZA\d\b', argument)
        options = re.search(r'struct (gt_\w+)_options_call\)', argument)
        if options:
            f.struct = options[1]
            for mark, positional in [(m[2], m[1]) for m in re.finditer(r'\.(\w+) = (ZA\d)\b', argument)]:
                taken[mark] = (None, positional)
            first = re.search(r'\.size = \{[^}]*\}, (ZA\d)\b', argument)
            if first:
                taken[first[1]] = (None, '')  # the first option, which may be left out
        elif not marks:
            continue
        elif len(set(marks)) > 2 and re.search(r'\[\]\)\s*\{', argument):
            item = re.search(r'\(\s*\(?(?:const )?([^()]*?)(?:\s*const)?\s*\[\]\)\s*\{', argument)
            f.many = re.sub(r'^char', 'const char', item[1].strip()) if item else kind
            taken.update({marks[0]: None})
        else:
            # An array that is in a list of its own, or one argument, in _Generic twice.
            taken[marks[0]] = (kind, name)
    for mark in sorted(taken):
        if taken[mark]:
            f.parameters.append(taken[mark])
    return True


def plain_comment(lines):
    """The text of a comment: without its stars, with its paragraphs and its indented examples."""
    text = '\n'.join(lines)
    text = re.sub(r'^\s*/\*+ ?', '', text)
    text = re.sub(r'\s*\*/\s*$', '', text)
    out = [re.sub(r'^\s*\*( |$)', '', line) if i else line for i, line in enumerate(text.split('\n'))]
    return '\n'.join(line.rstrip() for line in out).strip('\n')


class Reader:
    """Goes through one header from top to bottom, with the comment that stands above."""

    def __init__(self, path, text, known):
        self.path, self.known = path, known
        self.header = Header(path)
        self.lines = text.split('\n')
        self.section = ''
        self.comment, self.owner, self.group = '', '', []
        self.passed = False  # something else came behind the comment
        self.found = []  # (name, kind, line, doc, section, group)

    def drop_comment(self):
        self.comment, self.owner, self.group, self.passed = '', '', [], False

    def public(self, name):
        """The function that a name in a declaration belongs to."""
        if name in self.known['macros']:
            return name
        for ending in ('_at', '_of', '_list'):
            if name.endswith(ending) and (ending == '_at' or name[:-len(ending)] in self.known['macros']):
                return name[:-len(ending)]
        return name

    def add_function(self, name, line, kind='function'):
        name = self.public(name)
        if self.comment:
            self.owner = 'function'
        if name not in self.group:
            self.group.append(name)
        self.found.append([name, kind, line, self.comment, self.section, self.group])

    def add_type(self, name, line, code):
        # A function right behind the struct that it returns, or the type that it is given, shares the comment.
        doc = self.comment if self.owner == '' else ''
        self.owner = 'type' if self.comment else ''
        self.found.append([name, 'type', line, doc, self.section, code])

    def read(self):
        i, first, skipped = 0, True, 0
        while i < len(self.lines):
            line = self.lines[i]
            if re.match(r'#\s*ifdef __cplusplus', line) or skipped:
                skipped += bool(re.match(r'#\s*if', line))
                ends = re.match(r'#\s*endif', line) or (skipped == 1 and re.match(r'#\s*else', line))
                skipped -= bool(ends)
                i += 1
                continue
            if not line.strip():
                if self.group or self.owner or self.passed:
                    self.drop_comment()
                i += 1
            elif line.lstrip().startswith('/*') and not line.startswith(' '):
                j = i
                while '*/' not in self.lines[j]:
                    j += 1
                text = plain_comment(self.lines[i:j + 1])
                if text in ('clang-format off', 'clang-format on'):
                    i = j + 1
                    continue
                heading = re.match(r'-{3,} (.*?) -{3,}$', text)
                self.drop_comment()
                if heading:
                    self.section = heading[1]
                elif first and i == 0:
                    self.header.intro = text
                else:
                    self.comment = text
                first = False
                i = j + 1
            elif line.startswith('#'):
                self.passed = True
                j = i
                while self.lines[j].endswith('\\'):
                    j += 1
                m = re.match(r'#define (gt_\w+)\(', line)
                if m and CALLABLE.match(m[1]) and not m[1].endswith('_OPTIONS'):
                    self.add_function(m[1], i + 1, 'macro')
                elif re.match(r'#define \w+( |$)', line) and not self.owner:
                    self.owner = 'constant'
                i = j + 1
            elif re.match(r'GT_(BEGIN|END)\b|GT_OPTIONS\(|GT_\w+\([^;]*\)$|extern ', line):
                i += 1
            elif re.match(r'GT_DECLARE_\w+\((\w+)', line):
                self.add_function('gt_' + re.match(r'GT_DECLARE_\w+\((\w+)', line)[1] + '_at', i + 1)
                while ';' not in self.lines[i]:
                    i += 1
                i += 1
            else:
                i = self.statement(i)
        return self.header, self.found

    def statement(self, i):
        """A declaration or an inline function that begins in this line."""
        begin, depth, j = i, 0, i
        while j < len(self.lines):
            bare = re.sub(r'/\*.*?\*/|"(?:[^"\\]|\\.)*"', '', self.lines[j])
            depth += bare.count('{') - bare.count('}')
            if depth == 0 and re.search(r'[;}]\s*$', bare.split('/*')[0].rstrip() or ' '):
                break
            j += 1
        while j + 1 < len(self.lines) and '/*' in self.lines[j] and '*/' not in self.lines[j]:
            j += 1
        code = '\n'.join(self.lines[begin:j + 1])
        inline = re.match(r'static inline .*?\b(gt_\w+)\(', code, re.S)
        exported = re.match(r'GT_API [\w\s*]*?\((gt_\w+)\)\s*\(', code) or re.match(r'GT_API .*?\b(gt_\w+)\s*\(', code, re.S)
        if exported:
            self.add_function(exported[1], begin + 1)
            note = re.search(r';\s*/\*(.*?)\*/\s*$', code, re.S)
            if note:
                text = ' '.join(note[1].split())
                self.found[-1][3] = (self.found[-1][3] + '\n\n' if self.found[-1][3] and len(self.group) == 1 else '') + text \
                    if len(self.group) == 1 or not self.found[-1][3] else self.found[-1][3] + '\n\n' + text
        elif inline:
            if CALLABLE.match(inline[1]):
                self.add_function(inline[1], begin + 1)
                self.known['inline'][inline[1]] = code.split('{')[0].replace('static inline', '')
        elif code.startswith(('typedef', 'struct', 'enum', 'union')):
            forward = re.match(r'typedef struct (\w+) \1;$', code)
            name = re.search(r'\(\*\s*(\w+)\)', code) if re.match(r'typedef [^{]*\(\*', code) else None
            name = name or re.search(r'\}\s*(\w+)\s*;', code) or re.match(r'(?:struct|enum|union) (\w+)', code)
            name = name or re.search(r'(\w+)\s*;\s*(/\*.*)?$', code, re.S)
            if name and name[1].startswith('gt_') and not name[1].endswith(('_options', '_')):
                if forward and not self.comment:
                    self.known['forward'].setdefault(name[1], (self.path, begin + 1, code, self.section))
                else:
                    self.add_type(name[1], begin + 1, code)
        return j + 1


def read(root, compiler=('cc',)):
    macros = macro_names(root, compiler)
    lists = [m[:-len('_OPTIONS')] for m in macros if m.startswith('gt_') and m.endswith('_OPTIONS')]
    protos = prototypes(root, compiler)
    options = option_lists(root, compiler, lists)
    known = {'macros': macros, 'inline': {}, 'forward': {}}
    includes = re.findall(r'^#include "(.*?)"', open(f'{root}/gradtape.h').read(), re.M)
    listed = run_compiler(root, compiler, '', '-M').replace('\\\n', ' ').split()
    paths = [os.path.relpath(os.path.join(root, p), root) for p in listed if p.endswith('.h')]
    inside = sorted({p for p in paths if not p.startswith('..') and p != 'gradtape.h'})
    book = Book([], {}, {})
    for path in includes + [p for p in inside if p not in includes]:
        header, found = Reader(path, open(f'{root}/{path}').read(), known).read()
        book.headers.append(header)
        for name, kind, line, doc, section, extra in found:
            if kind == 'type':
                if name not in book.types:
                    book.types[name] = Type(name, path, section, line, doc, extra)
                    header.names.append(name)
                continue
            f = book.functions.get(name)
            if f is None:
                f = book.functions[name] = Function(name, path, section, line)
                header.names.append(name)
            # What stands with the macro, which is what is called, is preferred to what stands with its function.
            if doc and (not f.doc or kind == 'macro' or doc.startswith(f.doc)):
                f.doc, f.group, f.line = doc, extra, line
    for name, (path, line, code, section) in known['forward'].items():
        if name not in book.types:
            book.types[name] = Type(name, path, section, line, '', code)
            next(h for h in book.headers if h.path == path).names.insert(0, name)
    for name, code in known['inline'].items():
        m = re.match(r'(.*?[\s*])(gt_\w+)\((.*)\)\s*$', ' '.join(code.split()))
        protos.setdefault(name, (m[1].strip(), [parameter(a) for a in split_arguments(m[3] + ')')[0] if a != 'void']))
    expansions = calls(root, compiler, {m: a for m, a in macros.items() if m in book.functions})
    for f in book.functions.values():
        done = f.name in expansions and understand_call(f, macros[f.name], expansions[f.name], protos)
        if not done and f.name not in protos and f.name + '_at' not in protos:
            f.parameters = [('', a.strip()) for a in macros[f.name]]
        elif not done and f.name in protos:
            f.returns, f.parameters = protos[f.name]
        elif not done and f.name + '_at' in protos:
            f.returns, f.parameters = protos[f.name + '_at']
            f.parameters = f.parameters[1:]
        if f.struct:
            f.options = options[f.struct]
            named = {o.name: o for o in f.options}
            first = f.options[0]  # what may be given without its name, where no name is known
            f.parameters = [(t, n) if t is not None else (named[n].type, n) if n else ('[' + first.type, first.name + ']')
                            for t, n in f.parameters]
    return book


# ---- what the makers of pages need ----

def blocks(doc):
    """A docstring as [(kind, text)]: 'text', 'code' (indented lines), 'list' (items that begin with a dash)."""
    out = []
    for line in doc.split('\n'):
        item, bare = re.match(r'\s*- ', line), line.strip()
        if not bare:
            out.append(('end', ''))
        elif item:
            out.append(('item', line[item.end():]))
        elif line.startswith('    ') and out and out[-1][0] == 'item':
            out[-1] = ('item', out[-1][1] + ' ' + bare)
        elif line.startswith('    '):
            kind, before = out[-1] if out else ('', '')
            out[-1:] = [('code', before + '\n' + line)] if kind == 'code' else [*out[-1:], ('code', line)]
        elif out and out[-1][0] == 'text':
            out[-1] = ('text', out[-1][1] + ' ' + bare)
        else:
            out.append(('text', bare))
    for i in range(1, len(out) - 1):
        # Code goes on behind an empty line.
        if out[i][0] == 'end' and out[i - 1][0] == out[i + 1][0] == 'code':
            out[i + 1] = ('code', out[i - 1][1] + '\n\n' + out[i + 1][1])
            out[i - 1] = ('end', '')
    return [b for b in out if b[0] != 'end']


def sentence(doc, width=120):
    """The first sentence, without the calls that it may begin with: for lists of names."""
    text = ' '.join(t for kind, t in blocks(doc)[:1] if kind in ('text', 'item'))
    calls = re.match(r'(gt_\w+(\(([^()]|\([^()]*\))*\))?(,? or |,? and |, )?)+: ', text)
    text = text[calls.end():] if calls else text
    end = re.search(r'(?<!\.)\.(?= |$)(?![^(]*\))', text)
    text = (text[:end.start()] if end else text).rstrip(',:')
    if len(text) > width:
        # Better a part that ends where one breathes.
        part = re.match(r'.{25,%d}[;:](?= )(?![^(]*\))' % (width - 1), text)
        text = part[0][:-1] if part else text[:width].rsplit(' ', 1)[0].rstrip(',(') + ' ...'
    return text.strip() or 'see below'


def signature(f, width=100):
    """How it is called: `gt_Layer *gt_Dense(int64_t units, .option = value, ...)`."""
    parts = [t + ('' if t.endswith('*') or not t or not n else ' ') + n for t, n in f.parameters]
    if f.many:
        parts.append(f.many + (' ' if not f.many.endswith('*') else '') + '...')
    if f.struct:
        parts.append('.option = value, ...')
    head = f.returns + ('' if f.returns.endswith('*') or not f.returns else ' ') + f.name + '('
    lines = [head]
    for i, part in enumerate(parts):
        piece = part + (', ' if i + 1 < len(parts) else ')')
        if len(lines[-1] + piece.rstrip()) > width and lines[-1].strip() and lines[-1] != head:
            lines[-1] = lines[-1].rstrip()
            lines.append(' ' * min(len(head), 24))
        lines[-1] += piece
    return '\n'.join(lines) + ('' if parts else ')')


def groups(book, header):
    """The functions and types of a header in their order; those that share a docstring together."""
    out, done = [], set()
    for name in header.names:
        if name in book.types:
            out.append([book.types[name]])
        elif name not in done:
            f = book.functions[name]
            group = [book.functions[n] for n in f.group if n in book.functions and book.functions[n].group is f.group] or [f]
            out.append(group)
            done.update(g.name for g in group)
    return out


def default_text(option):
    """A default as one reads it."""
    if re.search(r'\brequired\b', option.doc):
        return 'required'
    said = {'GT_NOT_GIVEN': 'not given', 'GT_NONE': 'not given', '(-2147483647-1)': 'not given', '(double)NAN': 'NAN',
            '(double)INFINITY': 'INFINITY'}.get(option.preset, option.preset)
    return said.replace('(int64_t)', '').replace('GT_TWO_NUMBERS(', 'gt_numbers(')
