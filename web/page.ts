// The page: opening files, and what is shown of them. The work is done in file-worker.ts.
import { TtqError } from '../src/errors/ttq-error.js'
import { printable } from '../src/errors/printable.js'
import { readableMetadata } from '../src/report/metadata-text.js'
import { durationText, plural, shortDurationText, sizeText } from '../src/report/table.js'
import { CompressPanel } from './compress-panel.js'
import { byId, element } from './element.js'
import { fetchFile, readFile } from './fetch-file.js'
import type { CompressedFile, LayerCodes, NamedBytes, OpenedFile } from './file-calls.js'
import { FileClient } from './file-client.js'
import { RunPanel } from './run-panel.js'
import { showKernels } from './show-kernels.js'
import { showLayers } from './show-layers.js'
import { showSizes } from './show-sizes.js'

const client = new FileClient()
let file: (OpenedFile & { content: Uint8Array; beside: readonly NamedBytes[] }) | undefined
let fetching: AbortController | undefined
let kernels: [layer: string, codes: LayerCodes] | undefined

const say = (text: string): void => {
  byId('status').textContent = text
}

// One line, as the command line words it.
function showError(thrown: unknown): void {
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  const hint = thrown instanceof TtqError ? (thrown.hint ?? '') : ''
  const sentences = [message, `${hint.charAt(0).toUpperCase()}${hint.slice(1)}`].filter((each) => each !== '')
  byId('error').textContent = printable(sentences.join('. '))
  say('')
}

async function attempt(what: () => Promise<void>): Promise<void> {
  byId('error').textContent = ''
  try {
    await what()
  } catch (thrown) {
    showError(thrown)
  }
}

interface Surroundings {
  /** Files that hold a part of the network. */
  beside?: readonly NamedBytes[]
  /** Bytes of the ONNX file that was compressed here. */
  original?: number
}

async function open(content: Uint8Array, name: string, { beside = [], original }: Surroundings = {}): Promise<void> {
  say(`Reading ${name} ...`)
  // What is shown belongs to the file in the worker: the earlier one until this one is read, and where it cannot be.
  byId('opened').inert = true
  const opened = await client.call('open', { file: { bytes: content, name }, beside }).finally(() => {
    byId('opened').inert = false
  })
  file = { ...opened, content, beside }
  byId('opened').hidden = false
  showSizes(opened, original)
  showFacts(opened)
  showLayers(opened.layers)
  await offerKernels(opened)
  byId('compressing').hidden = opened.format === 'ttq' || opened.refusal !== undefined
  byId('save').textContent = opened.format === 'ttq' ? 'Save as ONNX' : ''
  byId('save').hidden = opened.format === 'onnx'
  runPanel.open(opened)
  byId('error').textContent = ''
  const { refusal } = opened
  if (refusal !== undefined)
    showError(new TtqError('model', refusal.message, refusal.hint === undefined ? {} : refusal))
  say(`${name} is open, read in ${shortDurationText(opened.elapsedMs)}.`)
  byId('size-title').focus()
}

function showFacts({ name, format, metadata, layers, inputs, outputs }: OpenedFile): void {
  const ternary = layers.filter((layer) => layer.ternary).length
  const computed = layers.filter(({ isComputed }) => isComputed === true).length
  const facts = {
    file: name,
    layers:
      plural(layers.length, 'layer') +
      (format === 'ttq' || ternary > 0 ? `, ${ternary} ternary` : '') +
      (computed > 0 ? `; the weights of ${computed} are packed in the file, and computed when it is loaded` : ''),
    inputs: inputs.map((input) => input.name).join(', '),
    outputs: outputs.map((output) => output.name).join(', '),
    ...Object.fromEntries(readableMetadata(metadata)),
  }
  byId('facts').replaceChildren(
    ...Object.entries(facts).flatMap(([key, value]) => [
      element('dt', {}, printable(key)),
      element('dd', {}, printable(value)),
    ]),
  )
}

async function offerKernels({ layers }: OpenedFile): Promise<void> {
  const ternary = layers.filter((layer) => layer.ternary)
  byId('kernel-section').hidden = ternary.length === 0
  byId('kernel-layer').replaceChildren(
    ...ternary.map(({ name, shape }) => element('option', { value: name }, `${name} (${shape.join('x')})`)),
  )
  if (ternary[0] !== undefined) await chooseKernels(ternary[0].name)
}

async function chooseKernels(layer: string): Promise<void> {
  kernels = [layer, await client.call('codes', { layer })]
  showKernels(...kernels)
}

function save(bytes: Uint8Array, name: string): void {
  const href = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>]))
  element('a', { href, download: name }).click()
  setTimeout(() => {
    URL.revokeObjectURL(href)
  }, 60_000)
}

const withEnding = (name: string, ending: string): string => `${name.replace(/\.[^.]*$/, '')}${ending}`

async function onCompressed({ file: packed, distance, warnings, elapsedMs }: CompressedFile): Promise<void> {
  const before = file
  if (before === undefined) return
  const name = withEnding(before.name, '.ttq')
  await open(packed, name, { original: before.bytes })
  byId('save').textContent = `Save ${name}`
  const apart = distance === null ? '' : `, outputs ${distance.toFixed(1)} % apart on made-up images`
  say([`Compressed in ${durationText(elapsedMs)}${apart}; accuracy was not measured.`, ...warnings.slice(1)].join(' '))
}

const runPanel = new RunPanel(client, attempt)
new CompressPanel(client, {
  attempt,
  say,
  onDone: onCompressed,
  onStopped: async () => {
    if (file !== undefined) await open(file.content, file.name, file)
  },
})

// Images run, everything else is opened: a network, and what it has in other files.
async function take(chosen: readonly File[]): Promise<void> {
  const network = chosen.find(({ name }) => /\.(ttq|onnx)$/i.test(name)) ?? chosen[0]
  if (network === undefined || byId('source').inert) return
  if (network.type.startsWith('image/') && file !== undefined) return await runPanel.runFile(network)
  await attempt(async () => {
    const others = chosen.filter((each) => each !== network)
    const beside = others.map(async (each) => ({ name: each.name, bytes: await readFile(each) }))
    await open(await readFile(network), network.name, { beside: await Promise.all(beside) })
  })
}

async function fetchAndOpen(url: string, name: string): Promise<void> {
  fetching?.abort(new TtqError('interrupted', 'stopped'))
  fetching = new AbortController()
  const onProgress = (bytes: number): void => {
    say(`${name}: ${sizeText(bytes)} ...`)
  }
  await open(await fetchFile(url, onProgress, fetching.signal), name)
}

byId('file').addEventListener('change', ({ target }) => {
  const input = target as HTMLInputElement
  const chosen = [...(input.files ?? [])]
  // So that the same file can be chosen again.
  input.value = ''
  void take(chosen)
})
byId('fetch').addEventListener('submit', (event) => {
  event.preventDefault()
  const url = byId<HTMLInputElement>('url').value.trim()
  void attempt(() => fetchAndOpen(url, url.split(/[?#]/)[0]?.split('/').at(-1) || url))
})
byId('sample-network').addEventListener('click', () => {
  void attempt(() => fetchAndOpen('samples/mnist-lenet.onnx', 'mnist-lenet.onnx'))
})
byId('save').addEventListener('click', () => {
  void attempt(async () => {
    if (file === undefined) return
    if (byId('save').textContent === 'Save as ONNX')
      save(await client.call('onnx', null), withEnding(file.name, '.onnx'))
    else save(file.content, file.name)
  })
})
byId('kernel-layer').addEventListener('change', ({ target }) => {
  void attempt(() => chooseKernels((target as HTMLSelectElement).value))
})
// The picture has the colours of the theme.
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  if (kernels !== undefined) showKernels(...kernels)
})

const DRAGGED = 'dragged-over'
addEventListener('dragover', (event) => {
  event.preventDefault()
  byId('drop').classList.add(DRAGGED)
})
addEventListener('dragleave', () => {
  byId('drop').classList.remove(DRAGGED)
})
addEventListener('drop', (event) => {
  event.preventDefault()
  byId('drop').classList.remove(DRAGGED)
  void take([...(event.dataTransfer?.files ?? [])])
})
