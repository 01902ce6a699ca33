// Part of the build: files of the package that follow from the option table and the list of commands.
import { readFileSync, writeFileSync } from 'node:fs'
import { commandsFor } from '../dist/src/cli/command-list.js'
import { manPage } from '../dist/src/cli/man-page.js'
import { configSchema } from '../dist/src/options/config-schema.js'

const { name } = JSON.parse(readFileSync('package.json', 'utf8'))
writeFileSync('dist/config.schema.json', `${JSON.stringify(configSchema(name))}\n`)
writeFileSync('dist/ttq.1', manPage(await commandsFor('all')))
