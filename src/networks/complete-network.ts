// Which network is asked for, with what: names and options checked, what is not said filled in from the table.
import { checkObject, kindOf, wrongArgument } from '../errors/check-argument.js'
import { closestName } from '../errors/closest-name.js'
import { TtqError } from '../errors/ttq-error.js'
import { completeOptions } from '../options/complete-options.js'
import { type GivenOptions, inLibrary, type NameOptions } from '../options/option-table.js'
import type { NetworkOptions } from './layer-builder.js'
import { NETWORKS, type NetworkName } from './networks.js'

const NAMES = Object.keys(NETWORKS)
const LARGEST_EXTENT = 65_536

/** @throws TtqError `usage` for a name that is not in the table */
export function checkNetworkName(name: unknown): NetworkName {
  if (typeof name !== 'string') throw wrongArgument('network', name, `one of ${NAMES.join(', ')}`)
  if (Object.hasOwn(NETWORKS, name)) return name as NetworkName
  const closest = closestName(name, NAMES)
  const hint = closest === undefined ? `The networks are ${NAMES.join(', ')}.` : `Did you mean ${closest}?`
  throw new TtqError('usage', `new: unknown network "${name}"`, { facts: { network: name, known: NAMES }, hint })
}

/**
 * The options of a network as they hold: what is not given is the task that the network was designed for, and seed 1.
 * @throws TtqError `usage` for options that are unknown or out of range
 */
export function completeNetwork(
  name: NetworkName,
  given: Partial<NetworkOptions> = {},
  nameOptions: NameOptions = inLibrary,
): NetworkOptions {
  checkObject('options', given, 'an object')
  const { input = NETWORKS[name].input, ...others } = given
  checkInput(input)
  const { classes = NETWORKS[name].classes, seed } = completeOptions('new', others as GivenOptions<'new'>, nameOptions)
  return { classes, input, seed }
}

function checkInput(input: unknown): void {
  if (isInput(input)) return
  const found = Array.isArray(input) ? `[${input.join(', ')}]` : kindOf(input)
  throw new TtqError(
    'usage',
    `input: found ${found}, expected [channels, height, width] with numbers from 1 to ${LARGEST_EXTENT}`,
  )
}

function isInput(value: unknown): value is [number, number, number] {
  const isExtent = (extent: unknown): boolean =>
    Number.isInteger(extent) && (extent as number) >= 1 && (extent as number) <= LARGEST_EXTENT
  return Array.isArray(value) && value.length === 3 && value.every(isExtent)
}

/** The size of a sample as the command line gives it: `3x32x32`. @throws TtqError `usage` */
export function parseInput(text: string): [number, number, number] {
  const extents = /^\d+x\d+x\d+$/i.test(text) ? text.split(/x/i).map(Number) : []
  if (isInput(extents)) return extents
  throw new TtqError(
    'usage',
    `--input: found "${text}", expected <channels>x<height>x<width> with numbers from 1 to ${LARGEST_EXTENT}`,
    { hint: 'For example --input 3x32x32.' },
  )
}
