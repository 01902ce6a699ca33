// How a table says that it is one of pictures: the names of its columns, and what stands in them.
import { PICTURE_ENDINGS } from './picture-header.js'

/** What columns of files are called. */
export const FILE_COLUMNS: readonly string[] = [
  'file_name',
  'filename',
  'file',
  'path',
  'image',
  'image_id',
  'image_name',
  'id',
  'img',
]

/** Whether a text is the name of a picture's file. */
export function namesPicture(text: string): boolean {
  return PICTURE_ENDINGS.some((ending) => text.trim().toLowerCase().endsWith(ending))
}

/** How pictures with a table are given, for whoever gives the table. */
export function laidOutPictures(table: string): string {
  const folder = table.replace(/[/\\]?[^/\\]*$/, '') || '.'
  return (
    `pictures with a table are given by their folder: --data ${folder}, the table in it being called train.csv, ` +
    'labels.csv or metadata.csv (docs/datasets.md#folders-of-pictures)'
  )
}
