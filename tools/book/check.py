#!/usr/bin/env python3
"""Checks what the book and the reference promise. Prints one line a fault, then what was counted; fails if there is a fault.

    tools/book/check.py reference [--compiler gcc]    of the headers: every public function, exported or macro, is in the
                                                      reference, has a docstring, parameters with types, options with a meaning
    tools/book/check.py contents                      docs/README.md names every page of docs/ once
    tools/book/check.py html FOLDER                   of the HTML: links lead to a file and an anchor in it, no anchor stands
                                                      twice, tags close, every function has its entry, nothing comes from elsewhere
    tools/book/check.py man FOLDER                    of the man pages: mandoc, or else groff, has nothing to say"""
import html
import html.parser
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import headers  # noqa: E402
import pages  # noqa: E402

faults = 0


def fault(text):
    global faults
    faults += 1
    print(text)


def public_names(compiler):
    """What users can call: exported functions under the names that they are called by, and macros of functions."""
    macros = headers.macro_names(ROOT, compiler)
    names = {m for m in macros if headers.CALLABLE.match(m) and not m.endswith('_OPTIONS')}
    for name in headers.prototypes(ROOT, compiler):
        for ending in ('_at', '_of', '_list'):
            if name.endswith(ending) and name not in macros and (ending == '_at' or name[:-len(ending)] in macros):
                name = name[:-len(ending)]
                break
        names.add(name)
    return names


def check_reference(compiler):
    check_reader()
    book = headers.read(ROOT, compiler)
    names = public_names(compiler)
    for name in sorted(names - set(book.functions)):
        fault(f'{name}: not in the reference')
    options = 0
    for f in book.functions.values():
        where = f'{f.header}:{f.line}: {f.name}'
        if not f.doc:
            fault(f'{where}: no docstring')
        if not f.returns and f.name != 'gt_signature_of':  # text, chosen by the type of its argument
            fault(f'{where}: its macro is not understood')
        for o in f.options:
            options += 1
            if not o.doc:
                fault(f'{where}: option {o.name} has no meaning')
    for t in book.types.values():
        if not t.doc:
            fault(f'{t.header}:{t.line}: {t.name}: no docstring')
    listed = {n for h in book.headers for group in headers.groups(book, h) for n in [e.name for e in group]}
    for name in sorted(set(book.functions) - listed):
        fault(f'{name}: on no page of the reference')
    count = len(book.functions)
    print(f'{count} functions, {count - sum(not f.doc for f in book.functions.values())} with a docstring; {options} options; '
          f'{len(book.types)} types; {len(names)} public names')


PLANTED = '''/* The intro. */
#ifndef X
/* ---- a section ---- */

/* Shared by two. */
#define gt_a(x) gt_a_at(GT_HERE, x)
GT_API gt_Status gt_a_at(const char *here, int x);
#define gt_b(x) gt_b_at(GT_HERE, x)

#define gt_lost(x) gt_lost_at(GT_HERE, x)
/* A constant. */
#define GT_C 3

GT_API int gt_also_lost(void);
/* What it gives. */
typedef struct gt_Result {
    int x; /* a member; with } in its comment */
} gt_Result;
GT_API gt_Result
gt_given(int x);
#ifdef __cplusplus
inline int gt_in_cpp(int x) { return x; }
#else
/* clang-format off */
/* In C. */
#define gt_in_c(...) gt_in_c_list((const int[]){__VA_ARGS__})
#endif
#endif
'''


def check_reader():
    """The reader of headers on one that is made up: whose comment is whose."""
    known = {'macros': {'gt_in_c': ['...']}, 'inline': {}, 'forward': {}}
    header, found = headers.Reader('planted.h', PLANTED, known).read()
    docs = {}
    for name, kind, _, doc, section, extra in found:
        docs.setdefault(name, doc)
    expected = {'gt_a': 'Shared by two.', 'gt_b': 'Shared by two.', 'gt_lost': '', 'gt_also_lost': '', 'gt_Result': 'What it gives.',
                'gt_given': 'What it gives.', 'gt_in_c': 'In C.'}
    if docs != expected or header.intro != 'The intro.' or {f[4] for f in found} != {'a section'}:
        fault(f'headers.py reads a planted header as {docs}')
    blocks = headers.blocks('gt_a(1): One, of\ntwo lines.\n    x = 1\n\n    y = 2\n  - an item\n    goes on\n')
    if [k for k, _ in blocks] != ['text', 'code', 'item'] or headers.sentence('gt_a(1), gt_a(2): One. Two.') != 'One':
        fault(f'headers.py parts a docstring as {blocks}')


def check_contents():
    listed = [page for _, part in pages.read_contents() for page, _ in part]
    there = sorted('docs/' + name for name in os.listdir(f'{ROOT}/docs') if name.endswith('.md') and name != 'README.md')
    for page in there:
        if listed.count(page) != 1:
            fault(f'docs/README.md: {page} is named {listed.count(page)} times')
    for page in listed:
        if not os.path.isfile(f'{ROOT}/{page}'):
            fault(f'docs/README.md: no such page: {page}')
    print(f'{len(there)} pages')


class Balance(html.parser.HTMLParser):
    """Does every tag that is opened close, and in order?"""

    def __init__(self, name):
        super().__init__()
        self.name, self.open = name, []

    def handle_starttag(self, tag, attributes):
        if tag not in ('meta', 'link', 'input', 'img', 'br', 'hr'):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            fault(f'{self.name}:{self.getpos()[0]}: </{tag}> closes nothing')
            self.open = []


def check_html(folder):
    anchors, links = {}, []
    for name in sorted(os.listdir(folder)):
        if not name.endswith('.html'):
            continue
        text = open(f'{folder}/{name}').read()
        balance = Balance(name)
        balance.feed(text)
        if balance.open:
            fault(f'{name}: never closed: {" ".join(balance.open)}')
        found = re.findall(r'\bid="([^"]*)"', text)
        for twice in sorted({a for a in found if found.count(a) > 1}):
            fault(f'{name}: two anchors #{twice}')
        anchors[name] = set(found)
        links += [(name, html.unescape(link)) for link in re.findall(r'\b(?:href|src)="([^"]*)"', text)]
        for outside in re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:[a-z]+:)?//[^"]*"', text):
            fault(f'{name}: not of the book itself: {outside}')
    script = open(f'{folder}/search.js').read()
    links += [('search.js', link) for link in re.findall(r'\["(?:[^"\\]|\\.)*","([^"]*)","', script)]
    checked = 0
    for name, link in links:
        if re.match(r'[a-z]+:', link):
            continue
        checked += 1
        file, _, anchor = link.partition('#')
        file = file or name
        if not os.path.isfile(f'{folder}/{file}'):
            fault(f'{name}: the link {link} leads nowhere')
        elif anchor and anchor not in anchors.get(file, ()):
            fault(f'{name}: the link {link} names no anchor')
    entries = {a for page, there in anchors.items() if page.startswith('reference-') for a in there}
    for function in sorted(public_names(['cc']) - entries):
        fault(f'{function}: no entry in the reference')
    print(f'{len(anchors)} pages, {checked} links')


def check_man(folder):
    files = sorted(f'{folder}/{name}' for name in os.listdir(folder))
    if shutil.which('mandoc'):
        said = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', *files], text=True, capture_output=True)
        said = said.stdout + said.stderr
    elif shutil.which('groff'):
        said = ''
        for file in files:
            run = subprocess.run(['groff', '-ww', '-man', '-Tutf8', '-z', file], text=True, capture_output=True)
            said += run.stdout + run.stderr
    else:
        print('neither mandoc nor groff is here')
        sys.exit(77)
    for line in said.splitlines():
        fault(line)
    print(f'{len(files)} man pages')


if __name__ == '__main__':
    what = sys.argv[1:2]
    if what == ['reference']:
        check_reference(sys.argv[3].split() if sys.argv[2:3] == ['--compiler'] else ['cc'])
    elif what == ['contents']:
        check_contents()
    elif what in (['html'], ['man']):
        (check_html if what == ['html'] else check_man)(sys.argv[2])
    else:
        sys.exit(__doc__)
    sys.exit(faults > 0)
