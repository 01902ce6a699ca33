// Whether layers are fitted as wholes, to what they give, or weight by weight.
type Said = Readonly<Record<string, unknown>>

/** Whether options leave the choice of codes to the fit of whole layers. @param given what the caller said */
export function isLayerwise(given: Said, { method, renormalize }: Said): boolean {
  return method === 'ttq' && renormalize !== 'off' && given['threshold'] === undefined
}
