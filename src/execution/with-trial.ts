// A trial process for as long as it is used.
import { TrialProcess } from './trial-process.js'

/** Gives `use` a process that gets ready while other work is done, and ends it with that. */
export async function withTrial<T>(use: (trial: TrialProcess) => Promise<T>): Promise<T> {
  const trial = new TrialProcess('onnxruntime')
  trial.start()
  try {
    return await use(trial)
  } finally {
    trial.close(new Error('internal: nothing is tried any more'))
  }
}
