// What networks can run on, by name. Light, so that help texts can show it; what is really there is asked in
// offered-devices.ts.

/**
 * ONNX Runtime's names of its execution providers. cpu is always there and takes over every operator that another one
 * lacks.
 */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const

/** What an option that chooses one says in a help text. */
export const DEVICES_TEXT = 'what runs the network: cpu, or cuda, webgpu, coreml, dml where ttq doctor shows them'

export type Device = (typeof DEVICES)[number]
