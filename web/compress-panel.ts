// Compressing the open ONNX network in the page.
import { TtqError } from '../src/errors/ttq-error.js'
import type { Progress } from '../src/training/progress.js'
import type { FileClient } from './file-client.js'
import type { CompressedFile } from './file-calls.js'
import { byId } from './element.js'

const PHASES: Readonly<Partial<Record<Extract<Progress, { kind: 'phase' }>['name'], string>>> = {
  read: 'Reading the network',
  prepare: 'Finding out what images it takes',
  reconstruct: 'Fitting its layers',
  pack: 'Packing',
  verify: 'Running the result',
}

interface Connections {
  attempt: (what: () => Promise<void>) => Promise<void>
  say: (text: string) => void
  onDone: (done: CompressedFile) => Promise<void>
  /** After a stop the worker has lost its file. */
  onStopped: () => Promise<void>
}

export class CompressPanel {
  constructor(
    private readonly client: FileClient,
    private readonly connections: Connections,
  ) {
    const { attempt, onStopped } = connections
    byId('compress').addEventListener('submit', (event) => {
      event.preventDefault()
      void attempt(() => this.compress())
    })
    byId('stop').addEventListener('click', () => {
      this.client.stop(new TtqError('interrupted', 'stopped'))
      void attempt(onStopped)
    })
  }

  private async compress(): Promise<void> {
    const progress = byId<HTMLProgressElement>('progress')
    const onProgress = (told: Progress): void => {
      if (told.kind === 'phase') this.connections.say(`${PHASES[told.name] ?? told.name} ...`)
      if (told.kind !== 'evaluated') return
      Object.assign(progress, { max: told.total, value: told.done })
    }
    const samples = Number(byId<HTMLSelectElement>('samples').value)
    this.setBusy(true)
    try {
      const done = await this.client.call('compress', { samples }, onProgress)
      await this.connections.onDone(done)
    } finally {
      this.setBusy(false)
    }
  }

  private setBusy(isBusy: boolean): void {
    // The worker does one thing at a time.
    for (const id of ['source', 'running', 'kernel-section']) byId(id).inert = isBusy
    byId('progress').hidden = !isBusy
    byId('stop').hidden = !isBusy
    for (const control of byId('compress').querySelectorAll<HTMLSelectElement | HTMLButtonElement>(
      'select, [type=submit]',
    ))
      control.disabled = isBusy
    if (isBusy) byId('stop').focus()
  }
}
