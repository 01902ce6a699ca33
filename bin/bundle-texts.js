// Part of the build: files of the package that follow from the option table and the list of commands.
import { writeFileSync } from 'node:fs'
import { commandsFor } from '../dist/src/cli/command-list.js'
import { manPage } from '../dist/src/cli/man-page.js'

writeFileSync('dist/ttq.1', manPage(await commandsFor('all')))
