// What a network says of pictures: plain data, schema `ttq-predict/1`.
export interface PredictReport {
  schema: 'ttq-predict/1'
  ttq: string
  model: string
  /** How pictures became input values. */
  preprocessing: string
  /** The output that the classes are told by; null where none has class scores. */
  output: string | null
  pictures: readonly PicturePrediction[]
  /** Where all outputs were written; null where nobody asked. */
  arrays: string | null
  elapsedMs: number
}

export interface PicturePrediction {
  picture: string
  /** The likeliest first; empty where no output has class scores. */
  classes: readonly { class: number; name: string | null; probability: number }[]
  /** Every output. */
  outputs: readonly { name: string; type: string; shape: readonly number[]; least: number; largest: number }[]
}
