// Running the open network on an image: where that comes from, how it becomes input, and the classes that come out.
import { chooseFraming, framingWords } from '../src/data/choose-framing.js'
import { CIFAR10_CLASSES } from '../src/data/cifar10-classes.js'
import type { Preprocessing } from '../src/data/dataset.js'
import { frame, type Size } from '../src/data/framing.js'
import type { Picture } from '../src/data/picture.js'
import { parsePreprocessing } from '../src/data/preprocessing.js'
import type { Interpolation } from '../src/data/resample.js'
import { TtqError } from '../src/errors/ttq-error.js'
import { percentText, shapeText, shortDurationText } from '../src/report/table.js'
import type { FileClient } from './file-client.js'
import type { OpenedFile } from './file-calls.js'
import { bar, byId, element } from './element.js'
import {
  feedsOf,
  imageOf,
  type ImageSize,
  imageSizeOf,
  layoutOf,
  pictureOf,
  showPicture,
  usualWays,
} from './image-input.js'
import { topClasses } from './top-classes.js'

/** In `samples/`, drawn for this page. */
const SAMPLES: Readonly<Record<'grey' | 'colour', readonly string[]>> = {
  grey: ['digit 2', 'digit 7'],
  colour: ['ship', 'airplane', 'truck'],
}

/** Classes shown. */
const SHOWN = 5

const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']

/** The words of a preprocessing that has a name, and those of the size. */
const PIXEL_WORDS = ['scale', 'mean', 'std', 'channelOrder'] as const
const SIZE_WORDS = ['resize', 'crop', 'interpolation'] as const

/** Of a network for any size, where nobody says one. */
const USUAL: Size = { height: 224, width: 224 }

const word = (id: (typeof PIXEL_WORDS)[number] | (typeof SIZE_WORDS)[number]): HTMLInputElement | HTMLSelectElement =>
  byId<HTMLInputElement | HTMLSelectElement>(id)

export class RunPanel {
  private file: OpenedFile | undefined
  private size: ImageSize | undefined
  private ways: Preprocessing[] = []
  private picture: Picture | undefined
  private stream: MediaStream | undefined

  /** @param attempt runs something that may throw, and shows what it throws */
  constructor(
    private readonly client: FileClient,
    private readonly attempt: (what: () => Promise<void>) => Promise<void>,
  ) {
    byId<HTMLInputElement>('image').addEventListener('change', ({ target }) => {
      const input = target as HTMLInputElement
      const [file] = input.files ?? []
      input.value = ''
      if (file !== undefined) void this.runFile(file)
    })
    byId('camera').addEventListener('click', () => void this.attempt(() => this.toggleCamera()))
    byId('shoot').addEventListener('click', () => void this.show(pictureOf(byId<HTMLVideoElement>('video'))))
    byId('preprocessing').addEventListener('change', () => {
      const way = this.ways[Number(byId<HTMLSelectElement>('preprocessing').value)]
      if (way !== undefined) this.fill(way)
    })
    byId('settings').addEventListener('change', () => void (this.picture && this.show(this.picture)))
    byId('settings').addEventListener('submit', (event) => {
      event.preventDefault()
    })
  }

  open(file: OpenedFile): void {
    this.file = file
    this.size = imageSizeOf(file.inputs)
    this.picture = undefined
    this.stopCamera()
    byId('seen').hidden = true
    byId('classes').replaceChildren()
    const { size } = this
    byId('images').hidden = size === undefined
    const inputs = file.inputs.map(
      ({ name, type }) => `${name}: ${type?.elementType ?? '?'} ${shapeText(type?.dims ?? [])}`,
    )
    byId('no-image').textContent =
      size === undefined ? `This network takes no image (${inputs.join(', ')}): it cannot be run here.` : ''
    if (size === undefined) return
    const said = file.known?.mean.length === size.channels ? file.known : undefined
    this.ways = [...(said === undefined ? [] : [said]), ...usualWays(size.channels)]
    const label = ({ name }: Preprocessing, i: number): string =>
      said !== undefined && i === 0 ? 'as the file says' : name
    byId('preprocessing').replaceChildren(
      ...this.ways.map((way, i) => element('option', { value: String(i) }, label(way, i))),
      element('option', { value: 'own' }, 'own numbers'),
    )
    this.fill(this.ways[0] as Preprocessing)
    const words = framingWords(said?.framing ?? { interpolation: 'bilinear' })
    for (const each of SIZE_WORDS) word(each).value = words[each] ?? ''
    byId<HTMLTextAreaElement>('names').value = classNames(file).join('\n')
    byId('sample-images').replaceChildren(
      ...SAMPLES[size.channels === 1 ? 'grey' : 'colour'].map((name) => {
        const button = element('button', { type: 'button' }, `Sample: ${name}`)
        button.addEventListener(
          'click',
          () =>
            void this.attempt(async () => this.show(pictureOf(await loaded(`samples/${name.replace(' ', '-')}.svg`)))),
        )
        return button
      }),
    )
  }

  async runFile(file: File): Promise<void> {
    await this.attempt(async () => {
      const picture = await read(file).catch((cause: unknown) => {
        throw new TtqError('data', `${file.name}: found no image that this browser reads, expected one`, { cause })
      })
      await this.show(picture)
    })
  }

  private fill({ scale, mean, std, channelOrder }: Preprocessing): void {
    const values = { scale, mean: mean.join(','), std: std.join(','), channelOrder: channelOrder ?? 'rgb' }
    for (const each of PIXEL_WORDS) word(each).value = String(values[each])
  }

  private async show(picture: Picture): Promise<void> {
    this.picture = picture
    await this.attempt(async () => {
      const { file, size } = this
      const input = file?.inputs[0]
      if (size === undefined || file === undefined || input === undefined) return
      const framed = framedFor(picture, size)
      showPicture(byId<HTMLCanvasElement>('seen'), framed)
      const image = imageOf(framed)
      const [scale, mean, std, channelOrder] = PIXEL_WORDS.map((each) => word(each).value)
      const words = { scale, mean, std, channelOrder: channelOrder as 'rgb' | 'bgr' }
      const layout = layoutOf(input, image, file.known?.layout)
      const preprocessing = parsePreprocessing(words, size.channels, layout) as Preprocessing
      const { results, elapsedMs } = await this.client.call('run', {
        feeds: await feedsOf(input, image, preprocessing),
      })
      const best = topClasses(results, SHOWN)
      const names = byId<HTMLTextAreaElement>('names').value.split('\n')
      const lines =
        best?.map(({ index, probability }) => classLine(names[index]?.trim() || `class ${index}`, probability)) ??
        Object.entries(results).map(([name, { type, dims }]) => element('p', {}, `${name}: ${type} ${shapeText(dims)}`))
      byId('classes').replaceChildren(
        ...(best === undefined ? [element('p', {}, 'The network ran; it gives no classes:')] : []),
        element(best === undefined ? 'div' : 'ol', {}, ...lines),
        element('small', {}, `run in ${shortDurationText(elapsedMs)}`),
      )
    })
  }

  private async toggleCamera(): Promise<void> {
    if (this.stream !== undefined) {
      this.stopCamera()
      return
    }
    // Absent on pages without HTTPS.
    const devices = navigator.mediaDevices as MediaDevices | undefined
    const asked = devices?.getUserMedia({ video: { facingMode: 'environment' } })
    this.stream = await (asked ?? Promise.reject(new Error('pages have one over HTTPS only'))).catch(
      (cause: unknown) => {
        throw new TtqError(
          'data',
          `camera: found none (${cause instanceof Error ? cause.message : String(cause)}), expected one`,
          {
            hint: 'Allow this page to use it, or choose an image.',
          },
        )
      },
    )
    const video = byId<HTMLVideoElement>('video')
    video.srcObject = this.stream
    await video.play()
    byId('camera-view').hidden = false
    byId('camera').textContent = 'Stop the camera'
    byId('shoot').focus()
  }

  private stopCamera(): void {
    for (const track of this.stream?.getTracks() ?? []) track.stop()
    this.stream = undefined
    byId('camera-view').hidden = true
    byId('camera').textContent = 'Use the camera'
  }
}

// @throws DOMException where it cannot be read; Error where it has no size
async function loaded(address: string): Promise<HTMLImageElement> {
  const image = new Image()
  image.src = address
  await image.decode()
  if (image.width === 0 || image.height === 0) throw new Error('an image without a size')
  return image
}

// A picture's file. Colour profiles are not applied, as the library does not.
async function read(file: File): Promise<Picture> {
  if (file.type !== 'image/svg+xml') return pictureOf(await createImageBitmap(file, { colorSpaceConversion: 'none' }))
  const address = URL.createObjectURL(file)
  try {
    return pictureOf(await loaded(address))
  } finally {
    URL.revokeObjectURL(address)
  }
}

// As the fields say, and where they say nothing, as the command line does.
function framedFor(picture: Picture, { channels, height, width }: ImageSize): Picture {
  const [resize, crop, interpolation] = SIZE_WORDS.map((each) => word(each).value.trim() || undefined)
  const isSaid = resize !== undefined || crop !== undefined
  const wanted = height !== undefined && width !== undefined ? { height, width } : isSaid ? undefined : USUAL
  const words = { resize, crop, interpolation: interpolation as Interpolation }
  return frame(picture, chooseFraming(words, wanted, [picture]), channels)
}

function classLine(name: string, probability: number): HTMLElement {
  return element(
    'li',
    {},
    element('span', {}, name),
    element('span', { className: 'track', ariaHidden: 'true' }, bar('packed', probability)),
    element('span', { className: 'number' }, percentText(100 * probability)),
  )
}

// As the file calls them, or by the dataset that it names, else by what takes such images and tells so many classes
// apart.
function classNames({ metadata, classNames: said, inputs, outputs }: OpenedFile): readonly string[] {
  if (said !== undefined) return said
  const dataset = metadata['dataset']
  if (dataset === 'cifar10') return CIFAR10_CLASSES
  if (dataset === 'mnist') return DIGITS
  const size = imageSizeOf(inputs)
  const classes = outputs[0]?.type?.dims?.at(-1)
  if (dataset !== undefined || classes !== DIGITS.length) return []
  if (size?.channels === 1 && size.height === 28) return DIGITS
  return size?.channels === 3 && size.height === 32 ? CIFAR10_CLASSES : []
}
