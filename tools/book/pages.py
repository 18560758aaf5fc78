#!/usr/bin/env python3
"""Writes the book as HTML: the pages of docs/ in the order of docs/README.md, and a reference from the headers.

    tools/book/pages.py FOLDER [--compiler "gcc"] [--cmark cmark-gfm] [--version 0.1.0] [--depfile FILE]

Markdown is turned into HTML by cmark-gfm; what is done here is what makes a book of pages: anchors at headings, named as
GitHub names them; links between pages; names of functions that lead to the reference; colours of C; contents at the side; an
index that the search box reads. FOLDER is written whole: one style sheet, one script, nothing from elsewhere."""
import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
import headers  # noqa: E402

KEYWORDS = set('auto break case char const continue default do double else enum extern float for goto if inline int long '
               'register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while '
               'bool true false NULL int32_t int64_t uint8_t uint32_t uint64_t size_t'.split())
TOKENS = re.compile(r'''(?P<comment>/\*.*?\*/|//[^\n]*)|(?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')'''
                    r'''|(?P<directive>^[ \t]*\#[^\n]*)|(?P<number>\b(?:0x[\da-fA-F]+|\d+\.?\d*(?:e[-+]?\d+)?)[fFuUlL]*\b)'''
                    r'''|(?P<option>(?<![\w)\]])\.[a-z]\w*(?=\s*=[^=]))|(?P<word>[A-Za-z_]\w*)''', re.S | re.M)
PYTHON = set('and as assert class def del elif else except False finally for from global if import in is lambda None nonlocal not '
             'or pass raise return True try while with yield'.split())
PYTHON_TOKENS = re.compile(r'''(?P<comment>\#[^\n]*)|(?P<string>[fr]?"(?:[^"\\\n]|\\.)*"|[fr]?'(?:[^'\\\n]|\\.)*')'''
                           r'''|(?P<number>\b\d+\.?\d*(?:e[-+]?\d+)?\b)|(?P<word>[A-Za-z_]\w*)''')
escape = html.escape


def slug(heading, seen):
    """The anchor of a heading, as GitHub names it."""
    name = re.sub(r'[^a-z0-9 _-]', '', html.unescape(re.sub(r'<[^>]*>', '', heading)).lower()).strip().replace(' ', '-')
    count = seen.get(name, 0)
    seen[name] = count + 1
    return f'{name}-{count}' if count else name


class Site:
    def __init__(self, book, cmark, version):
        self.book, self.cmark, self.version = book, cmark, version
        self.target = {}  # a name of the library -> where the reference has it
        for header in book.headers:
            for group in headers.groups(book, header):
                for entry in group:
                    self.target[entry.name] = reference_page(header.path) + '#' + entry.name
        for name, kind in book.types.items():
            for constant in re.findall(r'\bGT_[A-Z0-9_]+\b', re.sub(r'/\*.*?\*/', '', kind.code, flags=re.S)) if 'enum' in kind.code else []:
                self.target.setdefault(constant, self.target.get(name, ''))
        self.target = {k: v for k, v in self.target.items() if v}
        self.files = set()  # files of the sources that pages link to
        self.index = []  # [title, address, what it is], for the search box
        self.parts = read_contents()
        self.titles = {page: title for _, pages in self.parts for page, title in pages}
        self.parts = [(part, [page for page, _ in pages]) for part, pages in self.parts]
        self.pages = list(self.titles)

    # ---- pieces of text ----

    def link(self, name, text=None):
        if name in self.target:
            return f'<a href="{self.target[name]}">{text or name}</a>'
        return text or name

    def code(self, text, tokens=TOKENS, keywords=KEYWORDS):
        """Text of C (or Python) with colours and links; `text` is not escaped yet."""
        out, at = [], 0
        for m in tokens.finditer(text):
            kind, word = m.lastgroup, m[0]
            out.append(escape(text[at:m.start()], quote=False))
            at = m.end()
            if kind == 'word' and word in self.target and tokens is TOKENS:
                out.append(self.link(word))
            elif kind == 'word' and word not in keywords:
                out.append(escape(word, quote=False))
            else:
                style = {'comment': 'c', 'string': 's', 'number': 'n', 'option': 'o', 'directive': 'd', 'word': 'k'}[kind]
                out.append(f'<span class="{style}">{escape(word, quote=False)}</span>')
        return ''.join(out) + escape(text[at:], quote=False)

    def inline(self, text):
        """A line of a docstring: names become links, options and constants code."""
        def one(m):
            word = m[0].strip('`')
            name = re.match(r'\w+', word)
            inner = escape(word, quote=False)
            if name and name[0] in self.target:
                inner = self.link(name[0], inner)
            return f'<code>{inner}</code>'
        out, at = [], 0
        for m in re.finditer(r'`[^`]+`|\bgt_\w+(?:\([^()]*\))?|\bGT_[A-Z0-9_]+\b|(?<![\w.)])\.[a-z]\w*(?: = [\w.-]+\w)?(?!\w*/)', text):
            out += [escape(text[at:m.start()], quote=False), one(m)]
            at = m.end()
        return ''.join(out) + escape(text[at:], quote=False)

    def docstring(self, doc):
        out, items = [], []
        for kind, text in headers.blocks(doc) + [('end', '')]:
            if kind == 'item':
                items.append(f'<li>{self.inline(text)}</li>')
                continue
            if items:
                out.append('<ul>' + ''.join(items) + '</ul>')
                items = []
            if kind == 'text':
                out.append(f'<p>{self.inline(text)}</p>')
            elif kind == 'code':
                lines = text.split('\n')
                cut = min(len(line) - len(line.lstrip()) for line in lines if line.strip())
                out.append('<pre><code>' + self.code('\n'.join(line[cut:] for line in lines)) + '</code></pre>')
        return '\n'.join(out)

    # ---- pages of docs/ ----

    def markdown(self, path):
        """The body of a page, and its headings [(level, anchor, text)]."""
        text = open(f'{ROOT}/{path}').read()
        body = subprocess.run([self.cmark, '-e', 'table', '-e', 'strikethrough', '--unsafe'], input=text, text=True,
                              capture_output=True, check=True).stdout
        headings, seen = [], {}

        def heading(m):
            anchor = slug(m[2], seen)
            headings.append((int(m[1]), anchor, re.sub(r'<[^>]*>', '', m[2])))
            return f'<h{m[1]} id="{anchor}">{m[2]}<a class="here" href="#{anchor}" aria-label="link to this heading">#</a></h{m[1]}>'
        body = re.sub(r'<h([1-6])>(.*?)</h\1>', heading, body, flags=re.S)
        body = re.sub(r'<pre><code(?: class="language-(\w+)[^"]*")?>(.*?)</code></pre>', self.block, body, flags=re.S)
        body = re.sub(r'(?<!<pre>)<code>([^<]*)</code>', self.inline_code, body)
        body = re.sub(r'<a href="([^"]*)"', lambda m: f'<a href="{self.address(path, m[1])}"', body)
        body = re.sub(r'(<img src=")([^"]*)"', lambda m: f'{m[1]}{self.picture(path, m[2])}" loading="lazy"', body)
        body = re.sub(r'<table>.*?</table>', self.table, body, flags=re.S)
        # The same program in Python and in C stands side by side.
        body = re.sub(r'(<pre class="python">(?:(?!</pre>).)*</pre>)\s*(<pre class="c">.*?</pre>)',
                      r'<div class="beside">\1\2</div>', body, flags=re.S)
        return body, headings

    def table(self, m):
        """A table that may scroll; one of much text is a list of rows where the screen is narrow."""
        rows = [re.findall(r'<td.*?</td>', row, re.S) for row in re.findall(r'<tr>.*?</tr>', m[0], re.S)]
        long = [row for row in rows if len(row) > 1 and sum(len(re.sub(r'<[^>]*>', '', cell)) for cell in row) > 90]
        kind = ' class="options stack"' if '<th>option</th>' in m[0] else ' class="stack"' if 2 * len(long) > len(rows) else ''
        return f'<div class="wide"><table{kind}>' + m[0][len('<table>'):] + '</div>'

    def block(self, m):
        language, text = m[1] or '', html.unescape(m[2])
        if language == 'c':
            return f'<pre class="c"><code>{self.code(text)}</code></pre>'
        if language in ('python', 'py'):
            return f'<pre class="python"><code>{self.code(text, PYTHON_TOKENS, PYTHON)}</code></pre>'
        return f'<pre><code>{m[2]}</code></pre>'

    def inline_code(self, m):
        text = html.unescape(m[1])
        name = re.match(r'(\w+)(\(.*\))?$', text, re.S)
        inner = self.link(name[1], escape(text, quote=False)) if name else escape(text, quote=False)
        return f'<code>{inner}</code>'

    def address(self, path, link):
        if re.match(r'[a-z]+:', link) or link.startswith('#'):
            return link
        file, _, anchor = link.partition('#')
        file = os.path.normpath(os.path.join(os.path.dirname(path), file))
        anchor = '#' + anchor if anchor else ''
        if file in self.pages or file == 'docs/README.md':
            return page_name(file) + anchor
        if os.path.isfile(f'{ROOT}/{file}'):
            self.files.add(file)
            return (page_name(file) if file.endswith('.md') else source_name(file)) + anchor
        return link

    def picture(self, path, link):
        file = os.path.normpath(os.path.join(os.path.dirname(path), link))
        if os.path.isfile(f'{ROOT}/{file}'):
            os.makedirs(f'{self.folder}/pictures', exist_ok=True)
            shutil.copyfile(f'{ROOT}/{file}', f'{self.folder}/pictures/{os.path.basename(file)}')
            return 'pictures/' + os.path.basename(file)
        return link

    # ---- writing ----

    def write(self, name, title, body, headings=(), before=None, after=None):
        turn = ''.join(f'<a rel="{rel}" href="{page_name(to)}"><span>{word}</span> {self.titles[to]}</a>'
                       for rel, word, to in (('prev', 'before:', before), ('next', 'next:', after)) if to)
        with open(f'{self.folder}/{name}', 'w') as file:
            file.write(PAGE.format(title=escape(title), contents=self.contents(name, headings), body=body, turn=turn,
                                   version=self.version))

    def contents(self, current, headings):
        out = []
        for part, pages in self.parts:
            out.append(f'<h2>{escape(part)}</h2><ul>')
            for page in pages:
                name, here = page_name(page), page_name(page) == current
                mark = ' aria-current="page"' if here else ''
                out.append(f'<li><a href="{name}"{mark}>{self.titles[page]}</a>')
                inner = [(a, t) for level, a, t in headings if level == 2] if here else []
                if 1 < len(inner) < 40:
                    out.append('<ul>' + ''.join(f'<li><a href="#{a}">{t}</a></li>' for a, t in inner) + '</ul>')
                out.append('</li>')
            if part == 'Reference':
                for name, title in (('reference.html', 'Functions by header'), ('names.html', 'Functions by name')):
                    mark = ' aria-current="page"' if name == current or current.startswith('reference-') and name[0] == 'r' else ''
                    out.append(f'<li><a href="{name}"{mark}>{title}</a></li>')
            out.append('</ul>')
        return ''.join(out)

    def options_table(self, group):
        out, seen = [], set()
        for f in group:
            if not f.struct or f.struct in seen:
                continue
            seen.add(f.struct)
            if len({g.struct for g in group if g.struct}) > 1:
                out.append(f'<p>Options of <code>{f.name}</code>:</p>')
            rows = ''.join(f'<tr><td><code>.{o.name}</code></td><td><code>{self.code(o.type)}</code></td>'
                           f'<td><code>{self.code(headers.default_text(o))}</code></td><td>{self.inline(o.doc)}</td></tr>'
                           for o in f.options)
            out.append('<div class="wide"><table class="options stack"><thead><tr><th>option</th><th>type</th><th>default</th><th></th>'
                       f'</tr></thead><tbody>{rows}</tbody></table></div>')
        return ''.join(out)

    def reference(self):
        """A page for each header, and two lists of all functions."""
        rooms, names = {}, []
        for header in self.book.headers:
            if not header.names:
                continue
            name = reference_page(header.path)
            out = [f'<h1>{header.path}</h1>']
            if header.path in headers.BESIDE:
                out.append(f'<pre class="c"><code>#include &lt;{header.path}&gt;</code></pre>')
            out.append(self.docstring(header.intro))
            section = None
            for group in headers.groups(self.book, header):
                if group[0].section != section:
                    section = group[0].section
                    if section:
                        out.append(f'<h2>{escape(section)}</h2>')
                out.append('<section class="entry">')
                out += [f'<h3 id="{e.name}">{e.name}<a class="here" href="#{e.name}" aria-label="link to this entry">#</a></h3>'
                        for e in group]
                if isinstance(group[0], headers.Type):
                    out.append(self.docstring(group[0].doc) + f'<pre class="c"><code>{self.code(group[0].code)}</code></pre>')
                else:
                    text = '\n'.join(headers.signature(f) + ';' for f in group)
                    out.append(f'<pre class="c call"><code>{self.code(text)}</code></pre>')
                    out += [self.docstring(group[0].doc), self.options_table(group)]
                out.append('</section>')
                for e in group:
                    kind = 'type' if isinstance(e, headers.Type) else 'function'
                    self.index.append([e.name, f'{name}#{e.name}', kind])
                    names.append((e.name, name, headers.sentence(group[0].doc) if group[0].doc else ''))
            self.write(name, header.path, '\n'.join(out))
            functions = [n for n in header.names if n in self.book.functions]
            rooms.setdefault(header.path.split('/')[0], []).append((header, name, functions))
        out = ['<h1>Functions by header</h1><p><code>#include &lt;gradtape.h&gt;</code> includes all of them. Each page is made '
               'from its header: what it says, how a function is called, and its options.</p>']
        for room, pages in rooms.items():
            out.append(f'<h2 id="{room}">{ROOMS.get(room, room)}</h2>')
            for header, name, functions in pages:
                links = ', '.join(f'<a href="{name}#{f}">{f}</a>' for f in functions)
                intro = headers.sentence(header.intro, 140) if header.intro else ''
                out.append(f'<p class="header"><a href="{name}"><b>{header.path}</b></a> {self.inline(intro)}<br>'
                           f'<span class="names">{links}</span></p>')
        self.write('reference.html', 'Functions by header', '\n'.join(out))
        count = len(self.book.functions)
        rows = ''.join(f'<li><a href="{page}#{n}"><code>{n}</code></a> {self.inline(text)}</li>'
                       for n, page, text in sorted(names, key=lambda r: (r[0].lower(), r[0])))
        self.write('names.html', 'Functions by name',
                   f'<h1>Functions by name</h1><p>{count} functions and macros, and the types.</p><ul class="names">{rows}</ul>')

    def build(self, folder):
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        made = {page: self.markdown(page) for page in self.pages}
        for i, page in enumerate(self.pages):
            body, headings = made[page]
            self.write(page_name(page), html.unescape(headings[0][2]), body, headings, self.pages[i - 1] if i else None,
                       self.pages[i + 1] if i + 1 < len(self.pages) else None)
            for level, anchor, text in headings:
                if level <= 3:
                    address = page_name(page) + ('' if level == 1 else '#' + anchor)
                    self.index.append([html.unescape(text), address, 'page' if level == 1 else self.titles[page]])
        self.titles['docs/README.md'] = 'Contents'
        body, headings = self.markdown('docs/README.md')
        self.write('index.html', 'gradtape', body, ())
        self.reference()
        done = set()
        while more := sorted(f for f in self.files - done if f.endswith('.md')):
            done.update(more)
            for file in more:  # which may link to others
                self.write(page_name(file), file, *self.markdown(file))
        for file in sorted(f for f in self.files if not f.endswith('.md')):
            text = open(f'{ROOT}/{file}', errors='replace').read()
            code = self.code(text) if file.endswith(('.c', '.h', '.cpp')) else \
                self.code(text, PYTHON_TOKENS, PYTHON) if file.endswith('.py') else escape(text, quote=False)
            self.write(source_name(file), file, f'<h1>{file}</h1><pre class="c"><code>{code}</code></pre>')
        shutil.copyfile(f'{HERE}/book.css', f'{folder}/book.css')
        with open(f'{folder}/search.js', 'w') as file:
            file.write('const entries = ' + json.dumps(self.index, separators=(',', ':')) + ';\n' + open(f'{HERE}/search.js').read())


ROOMS = {'mpi': 'mpi: several processes, a library beside the others', 'core': 'core: context, tensors, variables, tapes', 'ops': 'ops: operations', 'autodiff': 'autodiff: gradients',
         'plan': 'plan: compiled steps', 'layers': 'layers', 'models': 'models', 'optim': 'optim: optimizers', 'io': 'io: files',
         'train': 'train: data, losses, metrics, fit, callbacks', 'pictures': 'pictures'}

PAGE = '''<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="book.css">
<script src="search.js" defer></script>
</head>
<body>
<input type="checkbox" id="menu">
<header><label for="menu" title="contents">☰</label><a href="index.html">gradtape</a> <small>{version}</small></header>
<nav aria-label="contents"><div class="search" hidden><input type="search" placeholder="Search" aria-label="search"><ol></ol></div>
{contents}</nav>
<main>
{body}
<footer>{turn}</footer>
</main>
</body>
</html>
'''


def page_name(page):
    return 'index.html' if page == 'docs/README.md' else os.path.basename(page)[:-len('.md')].replace('README', 'readme') + '.html' \
        if page.startswith('docs/') else 'source-' + page[:-len('.md')].replace('/', '-') + '.html'


def source_name(file):
    return 'source-' + file.replace('/', '-') + '.html'


def reference_page(path):
    return 'reference-' + path[:-len('.h')].replace('/', '-') + '.html'


def read_contents():
    """[(part, [(page, title)])] of docs/README.md: its second headings, and the links that begin the items below them."""
    parts = []
    for line in open(f'{ROOT}/docs/README.md'):
        if line.startswith('## '):
            parts.append((line[3:].strip(), []))
        item = re.match(r'- \[([^\]]*)\]\(([\w./-]+\.md)\)', line)
        if item and parts:
            parts[-1][1].append((os.path.normpath('docs/' + item[2]), item[1]))
    return parts


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument('folder')
    arguments.add_argument('--compiler', default='cc')
    arguments.add_argument('--cmark', default='cmark-gfm')
    arguments.add_argument('--version', default='0.1.0')
    arguments.add_argument('--depfile')
    given = arguments.parse_args()
    book = headers.read(ROOT, given.compiler.split())
    site = Site(book, given.cmark, given.version)
    site.build(given.folder)
    if given.depfile:
        read = [f'{ROOT}/{h.path}' for h in book.headers] + [f'{ROOT}/{p}' for p in [*site.pages, 'docs/README.md', *sorted(site.files)]]
        with open(given.depfile, 'w') as file:
            file.write(given.folder + ': ' + ' '.join(read + [f'{HERE}/{n}' for n in ('headers.py', 'book.css', 'search.js')]) + '\n')
    print(f'{len(site.pages)} pages, {len(book.functions)} functions, {len(book.types)} types, {len(site.files)} files of the sources')


if __name__ == '__main__':
    main()
