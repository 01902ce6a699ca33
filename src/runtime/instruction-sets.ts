// The vector instructions that ONNX Runtime's kernels are written for, from what the operating system says of the
// processor.

/** Name for people -> its names on Linux (x86 "flags", Arm "Features") and on macOS (hw.optional). */
const INSTRUCTION_SETS: Readonly<Record<string, readonly string[]>> = {
  AVX2: ['avx2', 'avx2_0'],
  'AVX-512': ['avx512f'],
  VNNI: ['avx512_vnni', 'avx_vnni', 'avx512vnni'],
  NEON: ['asimd', 'neon', 'AdvSIMD'],
}

/** Flags of the first processor in the text of Linux' /proc/cpuinfo; undefined where it lists none. */
export function linuxProcessorFlags(cpuinfo: string): string[] | undefined {
  return /^(?:flags|Features)\s*:\s*(.+)$/m
    .exec(cpuinfo)?.[1]
    ?.split(/\s+/)
    .filter((flag) => flag !== '')
}

/**
 * Flags that are on in what `sysctl hw.optional` prints on macOS: `hw.optional.neon: 1`; undefined where it lists none.
 */
export function macProcessorFlags(sysctl: string): string[] | undefined {
  const lines = [...sysctl.matchAll(/^hw\.optional\.(?:[\w.]+\.)?(\w+): (\d+)$/gm)]
  return lines.length === 0 ? undefined : lines.filter(([, , value]) => value !== '0').map(([, name]) => name as string)
}

/** Which of AVX2, AVX-512, VNNI and NEON are among a processor's flags. */
export function instructionSets(flags: readonly string[]): string[] {
  return Object.entries(INSTRUCTION_SETS)
    .filter(([, names]) => names.some((name) => flags.includes(name)))
    .map(([set]) => set)
}
