// ttq help: a command's help, a topic out of docs/, or the man page.
import { TtqError } from '../../errors/ttq-error.js'
import type { Arguments, CommandBody, Program } from '../command.js'
import { EXIT } from '../exit-codes.js'
import { closestTopic, TOPICS, topicText } from '../help-topics.js'
import { manPage } from '../man-page.js'
import { markdownText } from '../../report/markdown-text.js'
import type { Terminal } from '../terminal.js'

/** The topic that is everything, in the language of man. */
const MAN = 'man'

export const helpCommand: CommandBody = {
  operand: {
    name: 'topic',
    describe: `a command, or ${Object.keys(TOPICS).join(', ')}; or what messages name, as docs/datasets.md#arrays`,
    optional: true,
    choices: [...Object.keys(TOPICS), MAN],
  },
  options: {},
  examples: [
    ['$0 help compress', 'the options of a command'],
    ['$0 help exit-codes', 'what the exit code says'],
    [`$0 help ${MAN} | man -l -`, 'all commands and options as a man page'],
  ],
  run: runHelp,
}

async function runHelp({ operand }: Arguments, terminal: Terminal, program: Program): Promise<number> {
  await terminal.write(await text(operand, program, terminal.columns))
  return EXIT.done
}

// Topics are Markdown: in a terminal for people, in a pipe as it is.
async function text(topic: string, program: Program, columns: number | undefined): Promise<string> {
  if (topic === '') return await program.help()
  if (topic === MAN) return manPage(await program.commands('all'))
  const names = (await program.commands([])).map(({ name }) => name)
  if (names.includes(topic)) return await program.help(topic)
  const found = topicText(topic.toLowerCase())
  if (found !== undefined) return columns === undefined ? found : markdownText(found, columns)
  const closest = closestTopic(topic.toLowerCase(), names)
  throw new TtqError('usage', `help: unknown topic "${topic}"`, {
    facts: { topic },
    hint:
      closest === undefined
        ? `The topics are the commands, ${Object.keys(TOPICS).join(', ')}.`
        : `Did you mean ttq help ${closest}?`,
  })
}
