// What `ttq help <topic>` explains besides commands. The texts are those of docs/ and of the help texts: nothing is
// said here a second time.
import { closestName } from '../errors/closest-name.js'
import { docsAnchors, docsPage } from './docs-page.js'
import { EXIT_CODES_TEXT } from './exit-codes.js'

interface Topic {
  readonly about: string
  /** Pages of docs/, `page` or `page#heading`. */
  readonly pages: readonly string[]
  /** Goes before them. */
  readonly text?: string
}

export const TOPICS: Readonly<Record<string, Topic>> = {
  datasets: { about: 'what --data takes, with an example of each kind', pages: ['datasets'] },
  preprocessing: {
    about: 'how pixels become inputs: sizes, mean, std and scale',
    pages: ['datasets#input-values', 'datasets#sizes-of-pictures'],
  },
  tasks: { about: 'what a network may be for, its labels and metrics', pages: ['tasks'] },
  'exit-codes': {
    about: 'what the exit code says, and what goes to stdout and stderr',
    pages: ['guide#output-exit-codes-pipelines'],
    text: EXIT_CODES_TEXT,
  },
  config: { about: 'config files: settings, jobs, what goes before what', pages: ['config'] },
  pipelines: { about: 'several models, progress for programs, GitHub and GitLab', pages: ['pipelines'] },
  checkpoints: { about: 'long runs: Ctrl-C, checkpoints, going on', pages: ['guide#long-runs'] },
  'no-data': { about: 'what happens without a dataset', pages: ['no-data'] },
  pytorch: { about: 'from a PyTorch module to a small file and back', pages: ['pytorch'] },
  browser: { about: 'running a network in a web page', pages: ['browser-app'] },
  microcontroller: { about: 'ternary weights in a C program', pages: ['microcontroller'] },
  cluster: { about: 'one training on several machines, with mpirun', pages: ['cluster'] },
  ci: { about: 'pipelines that compress, and gates', pages: ['ci'] },
  method: { about: 'Trained Ternary Quantization in formulae', pages: ['method'] },
  reports: { about: 'the documents that --json prints', pages: ['report'] },
}

/**
 * The text of a topic, or of a page of docs/ as messages name it: `docs/datasets.md#arrays`, `datasets#arrays`.
 * @returns undefined where there is none
 */
export function topicText(name: string): string | undefined {
  const known = Object.hasOwn(TOPICS, name) ? TOPICS[name] : undefined
  if (known === undefined) return pageText(name)
  const texts = [...(known.text === undefined ? [] : [`${known.text}\n`]), ...known.pages.map(mustHave)]
  return texts.join('\n')
}

/** The nearest that `ttq help` takes: of the commands' names, the topics, and the headings of a page. */
export function closestTopic(name: string, commands: readonly string[]): string | undefined {
  const [page = '', anchor] = splitName(name)
  if (anchor === undefined) return closestName(name, [...commands, ...Object.keys(TOPICS)])
  const closest = closestName(anchor, docsAnchors(page))
  return closest === undefined ? undefined : `${page}#${closest}`
}

function pageText(name: string): string | undefined {
  const [page, anchor] = splitName(name)
  return docsPage(page, anchor)
}

function mustHave(name: string): string {
  const text = pageText(name)
  if (text === undefined) throw new Error(`internal: docs/ has no ${name}`)
  return text
}

function splitName(name: string): [page: string, anchor?: string] {
  const [page = '', anchor] = name
    .replace(/^docs\//, '')
    .replace('.md', '')
    .split('#')
  return anchor === undefined ? [page] : [page, anchor]
}
