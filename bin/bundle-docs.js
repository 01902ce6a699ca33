// npm run site: README, CHANGELOG, docs/ and the Markdown that they lead to -> dist/site, a folder of plain pages that any web
// server delivers, or none; the page of dist/web lies beside them in try/. No scripts, no requests to elsewhere.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path/posix'
import { Marked, Renderer } from 'marked'

const OUT = 'dist/site'
/** By what a reader wants; links to pages that are not here are followed, too. */
const NAVIGATION = {
  'I want to': 'pytorch your-data no-data browser-app microcontroller ci cluster',
  'What it does': '../README.md guide method results compatibility browser',
  Reference: 'datasets tasks config pipelines options report operators ttq-format ../python/README.md',
  'How it is made': 'architecture experiments ../bench/README.md ../CONTRIBUTING.md ../CHANGELOG.md',
}
const TRY = 'try/index.html'
/** The help of all commands, as a page: nobody writes it by hand. */
const OPTIONS = 'docs/options.md'

const { name, version } = JSON.parse(readFileSync('package.json', 'utf8'))
const escape = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)
const sourcesOf = (names) => names.split(' ').map((page) => join('docs', page.endsWith('.md') ? page : `${page}.md`))

function markdownOf(source) {
  if (source !== OPTIONS) return readFileSync(source, 'utf8')
  const sections = readdirSync('test/cli/help').map((file) => {
    const command = basename(file, '.txt')
    const text = readFileSync(`test/cli/help/${file}`, 'utf8').trimEnd()
    return `## ${command === 'ttq' ? 'ttq' : `ttq ${command}`}\n\n\`\`\`\n${text}\n\`\`\`\n`
  })
  return `# Commands and options\n\nWhat \`ttq <command> --help\` prints.\n\n${sections.join('\n')}`
}

/** README.md -> index.html, docs/x.md -> x.html, python/README.md -> python.html. */
function addressOf(source) {
  if (source === 'README.md') return 'index.html'
  const page = basename(source) === 'README.md' ? basename(dirname(source)) : basename(source, '.md')
  return `${page.toLowerCase()}.html`
}

/** As GitHub makes them: lower case, punctuation out, spaces to dashes; a number behind those that come again. */
function anchors() {
  const seen = new Map()
  return (title) => {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const anchor = plain.replace(/[^\p{L}\p{N}\- _]/gu, '').replaceAll(' ', '-')
    const count = seen.get(anchor) ?? 0
    seen.set(anchor, count + 1)
    return count === 0 ? anchor : `${anchor}-${count}`
  }
}

function render(source, follow) {
  const page = { source, title: '', headings: [], body: '' }
  const anchor = anchors()
  const renderer = {
    heading({ depth, text, tokens }) {
      const [id, label] = [anchor(text), this.parser.parseInline(tokens)]
      if (depth === 1) page.title ||= label
      if (depth === 2) page.headings.push({ id, label })
      return `<h${depth} id="${id}">${label}</h${depth}>\n`
    },
    code: ({ text }) => `<pre tabindex="0"><code>${escape(text)}</code></pre>\n`,
    table(token) {
      return `<div class="wide" tabindex="0">${Renderer.prototype.table.call(this, token)}</div>\n`
    },
    link({ href, tokens }) {
      return `<a href="${escape(follow(href))}">${this.parser.parseInline(tokens)}</a>`
    },
    html({ text }) {
      throw new Error(`${source}: found HTML (${text.trim()}), expected Markdown alone: put it into \`...\``)
    },
  }
  page.body = new Marked({ renderer }).parse(markdownOf(source))
  return page
}

function navigation(current, pages) {
  const item = (source) => {
    const { title, headings } = pages.get(source)
    if (source !== current) return `<li><a href="${addressOf(source)}">${title}</a></li>`
    const inside = headings.map(({ id, label }) => `<li><a href="#${id}">${label}</a></li>`).join('')
    return `<li><a href="${addressOf(source)}" aria-current="page">${title}</a><ul>${inside}</ul></li>`
  }
  const groups = Object.entries(NAVIGATION).map(([group, names], i) => {
    const tried = i === 0 ? `<li><a href="${TRY}">Try it in this browser</a></li>` : ''
    return `<h2>${group}</h2><ul>${sourcesOf(names).map(item).join('')}${tried}</ul>`
  })
  return `<nav id="pages" aria-label="Pages">${groups.join('\n')}</nav>`
}

function html({ source, title, body }, pages) {
  const heading = source === 'README.md' ? 'ttq' : `${title.replace(/<[^>]*>/g, '')} - ttq`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; img-src data:">
<title>${heading}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="style.css">
</head>
<body>
<header><a class="skip" href="#text">To the text</a><a href="index.html"><b>ttq</b></a> <span>${name} ${version}</span> <a class="menu" href="#pages">All pages</a></header>
<main id="text">
${body}</main>
${navigation(source, pages)}
</body>
</html>
`
}

rmSync(OUT, { recursive: true, force: true })
mkdirSync(OUT, { recursive: true })
const listed = Object.values(NAVIGATION).flatMap(sourcesOf)
const unlisted = readdirSync('docs').filter((file) => !listed.includes(`docs/${file}`))
if (unlisted.length > 0)
  throw new Error(`docs/: found ${unlisted.join(', ')}, expected each in the navigation of bin/bundle-docs.js`)

const sources = new Set(listed)
const pages = new Map()
// Pages are appended while they are walked.
for (const source of sources)
  pages.set(
    source,
    render(source, (href) => {
      if (/^([a-z]+:|#)/.test(href)) return href
      const [path, anchor] = href.split('#')
      const target = join(dirname(source), decodeURIComponent(path))
      if (!existsSync(target)) throw new Error(`${source}: found a link to ${href}, expected one to a file that exists`)
      if (target.endsWith('.md')) {
        sources.add(target)
        return `${addressOf(target)}${anchor === undefined ? '' : `#${anchor}`}`
      }
      // Shown by every server, whatever it knows of such files.
      cpSync(target, join(OUT, `${target}.txt`))
      return `${target}.txt`
    }),
  )
if (new Set([...sources].map(addressOf)).size < sources.size) throw new Error('internal: two pages of one name')
for (const page of pages.values()) writeFileSync(join(OUT, addressOf(page.source)), html(page, pages))
cpSync('site/style.css', join(OUT, 'style.css'))
cpSync('dist/web', join(OUT, dirname(TRY)), { recursive: true })
console.log(`${OUT}: ${pages.size} pages`)
