// The networks that newNetwork can build, by name, with the task they were designed for. Data only, for help texts; the
// layers are in new-network.ts.

/** Number of classes, and size of one sample: [channels, height, width]. */
export const NETWORKS = {
  lenet5: { classes: 10, input: [1, 28, 28] },
  resnet20: { classes: 10, input: [3, 32, 32] },
  resnet32: { classes: 10, input: [3, 32, 32] },
  resnet44: { classes: 10, input: [3, 32, 32] },
  resnet56: { classes: 10, input: [3, 32, 32] },
  resnet18: { classes: 1000, input: [3, 224, 224] },
  alexnet: { classes: 1000, input: [3, 224, 224] },
  mobilenetv2: { classes: 1000, input: [3, 224, 224] },
} as const satisfies Record<string, { classes: number; input: readonly [number, number, number] }>

export type NetworkName = keyof typeof NETWORKS
