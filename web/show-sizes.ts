// How large a network is, before and after.
import { ratioText, sizeText } from '../src/report/table.js'
import type { OpenedFile } from './file-calls.js'
import { bar, byId, element } from './element.js'

/**
 * @param original bytes of the ONNX file that a .ttq file was made of, where that is known; what is unpacked has
 * another size: without what exporters note, and with what compressing has added
 */
export function showSizes({ format, bytes, onnxBytes }: OpenedFile, original?: number): void {
  const isUnpacked = format === 'ttq' && original === undefined
  const whole = original ?? onnxBytes
  const rows: [name: string, bytes: number, detail: string][] = [[isUnpacked ? 'unpacked, ONNX' : 'ONNX', whole, '']]
  if (format === 'ttq')
    rows.push(['.ttq', bytes, `, ${ratioText(whole / bytes)} smaller${isUnpacked ? ' than that' : ''}`])
  const most = Math.max(...rows.map(([, each]) => each))
  byId('sizes').replaceChildren(
    ...rows.map(([name, each, detail]) =>
      element(
        'div',
        { className: 'size' },
        element('span', {}, name),
        element(
          'span',
          { className: 'track', ariaHidden: 'true' },
          bar(name === '.ttq' ? 'packed' : 'whole', each / most),
        ),
        element('span', {}, `${sizeText(each)}${detail}`),
      ),
    ),
  )
}
