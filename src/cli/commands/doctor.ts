// ttq doctor: what this machine and the installed ONNX Runtime offer.
import { VERSION } from '../../version.js'
import type { DoctorReport } from '../../report/doctor-text.js'
import type { Arguments, CommandBody } from '../command.js'
import { commandOptions } from '../command-options.js'
import { EXIT } from '../exit-codes.js'
import { checkResultPaths, writeReport } from '../results.js'
import type { Terminal } from '../terminal.js'

export const doctorCommand: CommandBody = {
  options: commandOptions('doctor'),
  examples: [['$0 doctor --json', 'JSON on stdout']],
  run: runDoctor,
}

async function runDoctor(args: Arguments, terminal: Terminal): Promise<number> {
  const paths = checkResultPaths(args, {})
  const [{ WorkerPool }, { renderDoctorReport }] = await Promise.all([
    import('../../execution/worker-pool.js'),
    import('../../report/doctor-text.js'),
  ])
  const pool = new WorkerPool(1, { signal: terminal.signal })
  const examine = async (): Promise<DoctorReport> => ({
    schema: 'ttq-doctor/1',
    ttq: VERSION,
    ...(await pool.call(0, 'examineMachine', null)),
  })
  const report = await examine().finally(() => pool.close())
  await writeReport(args, paths, report, renderDoctorReport(report), terminal)
  return EXIT.done
}
