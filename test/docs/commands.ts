/**
 * Finds the command lines in Markdown, and says how each kind of them is executed.
 *
 * A command that no rule knows fails the tests: add a rule for it to {@link rules}, the first that fits counts.
 */
import { markdownBlocks, markdownFiles, proseOf, type Block } from "./blocks.ts"

export type Rule = { readonly command: RegExp } & How

type How =
  /** By this test, from the root of the repository. */
  | {
      readonly run: "here"
      /** 0 unless it says so. */
      readonly exits?: number
      /** What differs from run to run, and is not compared. */
      readonly varies?: RegExp
    }
  /** By this test, in the project of a user who has installed the package, with the files of the text. */
  | { readonly run: "in a project" }
  /** By another part of `.ci/run`: a file, and what that file holds if it is so. */
  | { readonly run: "elsewhere"; readonly file: string; readonly holds: string }
  /** By nobody, and why. */
  | { readonly run: "never"; readonly because: string }

const script = (name: string): Rule => ({
  command: new RegExp(`^npm run ${name}$`),
  run: "elsewhere",
  file: "scripts/ci.ts",
  holds: `script("${name}"`
})

const tests = (name: string): Rule => ({
  command: new RegExp(`^npm run test:${name}$`),
  run: "elsewhere",
  file: "scripts/ci.ts",
  holds: `tests("test:${name}")`
})

export const rules: ReadonlyArray<Rule> = [
  { command: /^npm start -- saga .*"cars":0/, run: "here", exits: 1 },
  // Times are those of one run.
  { command: /^npm start( |$)/, run: "here", varies: / *\d+\.\d s/g },
  { command: / ?--inspect(?:-brk)?[ =]/, run: "never", because: "it waits for a debugger" },
  { command: /^npx vitest run$/, run: "in a project" },
  { command: /^node [\w-]+\.ts$/, run: "in a project" },
  // The blocks of a text are compiled together, with the same options.
  { command: /^npx tsc$/, run: "elsewhere", file: "test/docs/programs.test.ts", holds: `tool("tsc")` },

  { command: /^npm ci$/, run: "elsewhere", file: ".ci/run", holds: "npm ci" },
  { command: /^npm run ci$/, run: "elsewhere", file: ".ci/run", holds: "npm run --silent ci" },
  { command: /^npm run ci -- --busy 8$/, run: "never", because: "it is what runs this test, on a busy machine" },
  { command: /^\.ci\/run$/, run: "never", because: "it is what runs this test" },
  { command: /^(SEED=\d+ )?npm test$/, run: "elsewhere", file: "scripts/ci.ts", holds: `tests("test")` },
  { command: /^npm test -- --reporter=json$/, run: "elsewhere", file: "scripts/ci.ts", holds: `"json"]` },
  ...[
    "types",
    "page",
    "kills",
    "attack",
    "fuzz",
    "lambda",
    "local",
    "examples",
    "package",
    "docs",
    "conformance",
    "simulation"
  ].map(tests),
  { command: /^npm test -- /, run: "never", because: "a test run starts no other one" },
  script("format:check"),
  { command: /^npm run load:page$/, run: "never", because: "what it measures is told in words" },
  {
    command: /^npm run screenshots$/,
    run: "never",
    because: "the pictures are not the same on two machines, whose fonts differ"
  },
  { command: /^npm run format$/, run: "elsewhere", file: "scripts/ci.ts", holds: `script("format:check")` },
  script("lint"),
  script("typecheck"),
  script("build"),
  script("check:package"),
  script("check:types"),
  {
    command: /^npm run reference$/,
    run: "elsewhere",
    file: "test/docs/reference.ts",
    holds: "scripts/reference.ts"
  },
  {
    command: /^npm run bench$/,
    run: "never",
    because: "all measures take a quarter of an hour, and the tests run some of them"
  },
  {
    command: /^npm run bench -- steps$/,
    run: "elsewhere",
    file: "test/package/package.test.ts",
    holds: `bench("steps/`
  },
  {
    command: /^npm run bench -- --committed$/,
    run: "elsewhere",
    file: "scripts/ci.ts",
    holds: `script("bench", "--committed")`
  },
  {
    command: /^npm run bench -- size cold client$/,
    run: "elsewhere",
    file: "test/package/package.test.ts",
    holds: `bench("size/hello", "cold", "client"`
  },
  {
    command: /^npm run release -- --dry-run$/,
    run: "elsewhere",
    file: "test/package/release.test.ts",
    holds: `"scripts/release.ts", "--dry-run"`
  },
  { command: /^npm run release$/, run: "never", because: "it publishes" },
  script("size"),
  {
    command: /^npm run conformance$/,
    run: "elsewhere",
    file: "test/conformance/conformance.test.ts",
    holds: "main.ts"
  },
  { command: /^npm run explore$/, run: "elsewhere", file: "test/examples/explore.test.ts", holds: "explored" },
  ...["sabotage", "mutate", "differential"].map((name): Rule => ({
    command: new RegExp(`^npm run ${name}$`),
    run: "elsewhere",
    file: "test/simulation/commands.test.ts",
    holds: `describe("npm run ${name}"`
  })),
  { command: /^npm run simulate$/, run: "elsewhere", file: "test/simulation/random.test.ts", holds: "simulate" },
  { command: /^npm run simulate:second$/, run: "elsewhere", file: "test/simulation/second.test.ts", holds: "fuzzer" },
  { command: /^npm run undo$/, run: "elsewhere", file: "test/simulation/undo.test.ts", holds: "fuzzer" },

  { command: /^npm run kill( |$)/, run: "elsewhere", file: "test/local/commands.test.ts", holds: `"kill/main.ts"` },
  { command: /^npm run load$/, run: "elsewhere", file: "test/local/commands.test.ts", holds: `"load/main.ts"` },
  { command: /^npm run fuzz:http /, run: "elsewhere", file: "test/local/commands.test.ts", holds: `"fuzz/main.ts"` },
  // That test writes the project as `init` does. What the lines are made of is compared with the commands by another one.
  {
    command: /^npx effect-durable (init|dev|invoke|callback|show) /,
    run: "elsewhere",
    file: "test/package/commandLine.test.ts",
    holds: `"invoke", "order"`
  },
  {
    command: /^(npx )?effect-durable /,
    run: "elsewhere",
    file: "test/docs/commandLine.test.ts",
    holds: "has every command and every flag"
  },
  { command: /^export AWS_/, run: "never", because: "it is for the shell of the reader" },

  {
    command: /^npm i effect-durable effect$/,
    run: "elsewhere",
    file: "scripts/check-package.ts",
    holds: "install(project, file, `effect@"
  },
  {
    command: /^npm pack$/,
    run: "elsewhere",
    file: "scripts/npm/packed.ts",
    holds: `"npm", "pack"`
  },
  {
    command: /^npm i \S*\/effect-durable-[\d.]+\.tgz effect@[\d.]+$/,
    run: "elsewhere",
    file: "scripts/check-package.ts",
    holds: "install(project, file, `effect@"
  },
  { command: /^npm install$/, run: "elsewhere", file: "scripts/npm/packed.ts", holds: `"npm", "install"` },
  { command: /^npm (i|install) /, run: "never", because: "it installs other people's packages, which needs a network" },
  // That test takes the command from the text. The others differ in their files only.
  {
    command: /^npx esbuild /,
    run: "elsewhere",
    file: "test/examples/deployed.test.ts",
    holds: `"npx esbuild place-order.ts`
  },
  { command: /^(sam|aws) /, run: "never", because: "it needs an account of AWS" },
  {
    command: /^node_modules\/\.bin\/node scripts\/complete-lockfile\.ts$/,
    run: "never",
    because: "it changes the lockfile"
  }
]

/** A command line, and what it prints if the text says so. */
export interface Command {
  readonly line: string
  readonly file: string
  readonly place: string
  readonly output: string | undefined
}

/** The commands of every text, those in its sentences included. */
export const findCommands = (): ReadonlyArray<Command> =>
  markdownFiles.flatMap((file) => [...commandsIn(markdownBlocks(file)), ...inlineCommands(file)])

/** The commands in the blocks of a text. */
export const commandsIn = (blocks: ReadonlyArray<Block>): ReadonlyArray<Command> => blocks.flatMap(commandsInBlock)

const commandsInBlock = (block: Block, index: number, blocks: ReadonlyArray<Block>): ReadonlyArray<Command> => {
  const command = (line: string, output?: string): Command => ({
    line,
    file: block.file,
    place: `${block.file}:${block.line}`,
    output
  })
  switch (block.language) {
    case "bash":
    case "sh": {
      const lines = commandLines(block.code)
      const output = outputOf(block, blocks[index + 1])
      if (output !== undefined && lines.length > 1)
        throw new Error(`${block.file}:${block.line}: only one command may stand before its output.`)
      return lines.map((line) => command(line, output))
    }
    case "console":
      return block.code
        .split(/^\$ /m)
        .slice(1)
        .map((part) => {
          const [, line = "", output = ""] = /^((?:.*\\\n)*.*)\n?([^]*)$/.exec(part) ?? []
          return command(commandLines(line).join(" && "), output === "" ? undefined : output)
        })
    default:
      return []
  }
}

/** The commands of a script, without comments; a chain of commands is taken apart. */
const commandLines = (code: string): ReadonlyArray<string> =>
  code
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .flatMap((line) => line.replace(/(^|\s)#.*$/, "").split(" && "))
    .map((line) => line.trim())
    .filter((line) => line !== "")

/** The block that stands right below another one, with nothing but an empty line between them. */
const outputOf = (block: Block, next: Block | undefined): string | undefined => {
  const end = block.line + block.code.split("\n").length + 1
  return next?.language === "text" && next.info === "" && next.line <= end + 2 ? next.code : undefined
}

const inlineCommands = (file: string): ReadonlyArray<Command> =>
  proseOf(file).flatMap((text, index) =>
    Array.from(text.matchAll(/`([^`]+)`/g), ([, line = ""]) => line)
      .filter(isCommand)
      .map((line) => ({ line, file, place: `${file}:${index + 1}`, output: undefined }))
  )

/** Programs by themselves are nouns, and so are the commands of npm that need another word. */
const isCommand = (code: string): boolean =>
  /^(?:[A-Z_]+=\S* )*(?:npm|npx|node|node_modules\/\.bin\/\S+|curl|aws|cdk|docker|git|sam|effect-durable) \S/.test(code)
    ? !/^npm (?:run|exec)$/.test(code)
    : code === ".ci/run"

/** Whether a command is the form of many, with words in capital letters for what differs. */
export const isForm = (line: string): boolean => /(?:^| )[A-Z][A-Z_]+(?= |$)/.test(line)
