// A parquet file: what columns it has, and its rows, read where they lie. The only importer of hyparquet.
import {
  asyncBufferFromFile,
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetRead,
  parquetSchema,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { printable } from '../errors/printable.js'
import { TtqError } from '../errors/ttq-error.js'
import { regularStats } from './dataset-files.js'

/** What stands in a column, as far as data are concerned. */
export type ColumnContent = 'pictures' | 'texts' | 'numbers' | 'something else'

export interface ParquetColumn {
  readonly name: string
  readonly content: ColumnContent
}

/** Rows that are stored, and read, together. */
export interface RowGroup {
  readonly first: number
  readonly rows: number
  /** Bytes of each column when unpacked, as the file says. */
  readonly bytes: ReadonlyMap<string, number>
}

/** Bytes: its mark at both ends, and the length of what stands before the last. */
const SMALLEST = 12

const HINT = 'write it again: pandas.DataFrame.to_parquet, datasets.Dataset.to_parquet or pyarrow.parquet.write_table'

export class ParquetFile {
  private constructor(
    readonly path: string,
    private readonly file: AsyncBuffer,
    private readonly metadata: FileMetaData,
    readonly columns: readonly ParquetColumn[],
    readonly groups: readonly RowGroup[],
  ) {}

  /** Reads what stands at the file's end. @throws TtqError `data` for a file that is none, or damaged */
  static async open(path: string): Promise<ParquetFile> {
    try {
      await regularStats(path)
      const file = await asyncBufferFromFile(path)
      if (file.byteLength < SMALLEST) throw new Error(`${file.byteLength} bytes`)
      const metadata = await parquetMetadataAsync(file, { geoparquet: false })
      // Pandas keeps the index of its rows in columns of their own.
      const columns = parquetSchema(metadata)
        .children.filter(({ element }) => !/^__index_level_\d+__$/.test(element.name))
        .map(({ element, children }) => ({ name: element.name, content: contentOf(element, children) }))
      return new ParquetFile(path, file, metadata, columns, groupsOf(metadata))
    } catch (cause) {
      throw damaged(path, cause)
    }
  }

  get rows(): number {
    return this.groups.reduce((sum, { rows }) => sum + rows, 0)
  }

  /** What the writer has noted under this key. */
  noted(key: string): string | undefined {
    return this.metadata.key_value_metadata?.find((each) => each.key === key)?.value
  }

  /** Rows, each the values of these columns in their order. @throws TtqError `data` where they cannot be read */
  async read(columns: readonly string[], first: number, rows: number): Promise<readonly (readonly unknown[])[]> {
    try {
      let found: unknown[][] = []
      await parquetRead({
        file: this.file,
        metadata: this.metadata,
        columns: [...columns],
        rowStart: first,
        rowEnd: first + rows,
        // Objects would lose a column called __proto__.
        rowFormat: 'array',
        onComplete: (all) => {
          found = all
        },
        compressors,
        utf8: false,
        geoparquet: false,
      })
      return found
    } catch (cause) {
      throw damaged(this.path, cause)
    }
  }
}

type Element = FileMetaData['schema'][number]
type Tree = ReturnType<typeof parquetSchema>

// Hugging Face's pictures are { bytes, path }; others store the bytes alone.
function contentOf(element: Element, children: readonly Tree[]): ColumnContent {
  if (children.length > 0) {
    const names = children.map((child) => child.element.name)
    if (names.includes('bytes') && isBytes(children[names.indexOf('bytes')]?.element)) return 'pictures'
    return isListOf(element) ? 'numbers' : 'something else'
  }
  if (isBytes(element)) return 'pictures'
  return element.type === 'BYTE_ARRAY' ? 'texts' : 'numbers'
}

function isBytes(element: Element | undefined): boolean {
  return element?.type === 'BYTE_ARRAY' && element.converted_type === undefined && element.logical_type === undefined
}

function isListOf({ converted_type, logical_type }: Element): boolean {
  return converted_type === 'LIST' || logical_type?.type === 'LIST'
}

function groupsOf({ row_groups }: FileMetaData): RowGroup[] {
  let first = 0
  return row_groups.map(({ num_rows, columns }) => {
    const bytes = new Map<string, number>()
    for (const { meta_data } of columns) {
      const name = meta_data?.path_in_schema[0] ?? ''
      bytes.set(name, (bytes.get(name) ?? 0) + Number(meta_data?.total_uncompressed_size ?? 0))
    }
    const group = { first, rows: Number(num_rows), bytes }
    first += group.rows
    return group
  })
}

function damaged(path: string, cause: unknown): TtqError {
  const reason = printable((cause as Error).message.replace(/^parquet /, ''))
  return new TtqError('data', `${path}: found a parquet file that cannot be read (${reason}), expected a whole one`, {
    facts: { file: path },
    hint: HINT,
    cause,
  })
}
