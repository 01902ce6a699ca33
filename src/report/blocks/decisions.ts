// What a classifier decides for the test samples: mix-ups, and the samples that are worth a look.
import type { UsedData, SampleReport, SamplesReport } from '../../jobs/details-report.js'
import { confusionChart } from '../charts/confusion-chart.js'
import type { Block, Picture, Section } from '../page.js'
import { countText, percentText } from '../table.js'

/** Classes of the test set that have a row each; of more, the worst. */
const MOST_ROWS = 24

/**
 * Empty where nothing is decided.
 * @param network who decides: `the packed network`
 */
export function decisionSection(
  samples: SamplesReport | undefined,
  data: UsedData | undefined,
  network: string,
): Section {
  if (samples === undefined) return { title: 'Decisions', blocks: [] }
  const name = (label: number): string => (label < 0 ? 'nothing' : (data?.classNames?.[label] ?? String(label)))
  return {
    title: 'Decisions',
    blocks: [
      ...besideEachOther([...matrix(samples, name, network), ...mixUps(samples, name)]),
      ...byClass(samples, name),
      ...sampleBlocks('Worst mistakes: wrong, and the surest of it', samples.mistakes, (sample) =>
        mistakeText(sample, name),
      ),
      ...sampleBlocks(
        'Most changed: class probabilities farthest from those of the original network',
        samples.changed,
        (sample) => changeText(sample, name),
      ),
    ],
  }
}

function besideEachOther(blocks: readonly Block[]): readonly Block[] {
  return blocks.length > 1 ? [{ kind: 'beside', blocks }] : blocks
}

type NameOf = (label: number) => string

function matrix({ confusion }: SamplesReport, name: NameOf, network: string): Block[] {
  if (confusion === undefined || confusion.length === 0) return []
  return [
    {
      kind: 'charts',
      charts: [
        confusionChart(
          confusion,
          confusion.map((_, label) => name(label)),
          network,
        ),
      ],
    },
  ]
}

function mixUps({ confused = [] }: SamplesReport, name: NameOf): Block[] {
  if (confused.length === 0) return []
  return [
    {
      kind: 'table',
      table: {
        caption: 'The commonest mix-ups',
        header: ['is', 'taken for', 'samples'],
        rows: confused.map(({ label, decided, count }) => [name(label), name(decided), countText(count)]),
        numbers: [2],
      },
    },
  ]
}

function byClass({ byClass: shares = [] }: SamplesReport, name: NameOf): Block[] {
  const known = shares.flatMap((share, label) => (share === null ? [] : [{ share, label }]))
  if (known.length === 0) return []
  const isAll = known.length <= MOST_ROWS
  const shown = isAll ? known : known.toSorted((a, b) => a.share - b.share).slice(0, MOST_ROWS)
  return [
    {
      kind: 'fold',
      title: isAll ? 'Right by class' : `Right by class: the ${MOST_ROWS} worst of ${countText(known.length)}`,
      note: '',
      blocks: [
        {
          kind: 'bars',
          bars: {
            caption: 'Samples of each class that are decided right',
            header: ['class', 'right'],
            keys: [],
            rows: shown.map(({ share, label }) => ({
              label: name(label),
              parts: [{ tone: 'positive', value: share }],
              cells: [percentText(share)],
            })),
            whole: 100,
          },
        },
      ],
    },
  ]
}

// Pictures where there are any, else a table.
function sampleBlocks(
  caption: string,
  samples: readonly SampleReport[] | undefined,
  textOf: (sample: SampleReport) => string,
): Block[] {
  if (samples === undefined || samples.length === 0) return []
  const pictures = samples.flatMap((sample): Picture[] =>
    sample.picture === null
      ? []
      : [
          {
            png: sample.picture,
            caption: textOf(sample),
            note: sample.file ?? `sample ${sample.index}`,
            alternative: `${sample.file ?? `Test sample ${sample.index}`}: ${textOf(sample)}`,
            width: 128,
          },
        ],
  )
  if (pictures.length === samples.length) return [{ kind: 'pictures', caption, pictures }]
  const rows = samples.map((sample) => [sample.file ?? String(sample.index), textOf(sample)])
  return [{ kind: 'table', table: { caption, header: ['sample', ''], rows, numbers: [] } }]
}

function mistakeText({ label, decided, probability, original }: SampleReport, name: NameOf): string {
  const before = original === null || original === decided ? '' : `; the original says ${name(original)}`
  const is = label === null ? '' : `${name(label)}, `
  return `${is}taken for ${name(decided)} (${percentText(100 * probability)})${before}`
}

function changeText({ label, decided, original, divergence }: SampleReport, name: NameOf): string {
  const change = original === decided ? `still ${name(decided)}` : `${name(original ?? -1)} → ${name(decided)}`
  const is = label === null ? '' : `; is ${name(label)}`
  return `${change}${is} (${(divergence ?? 0).toPrecision(3)} nats)`
}
