/** A short training of which the losses are all that counts: nothing is augmented, held out or judged. */
export const PLAIN_STEPS = {
  warmup: 2,
  unlabelled: false,
  withTargets: true,
  isNhwc: false,
  seed: 1,
  augment: false,
  heldOut: [0],
  startCounts: false,
  validate: async (): Promise<number> => Promise.resolve(0),
}
