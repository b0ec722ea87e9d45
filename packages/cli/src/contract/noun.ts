import type { Session } from '@claviger/api-client/session';
import type { ExitCode } from '@claviger/terminal/exit-codes';
import type { Command } from 'commander';

export type Cell = string | number | boolean | undefined | null;

/**
 * A column of a table, or a line of one object: `HEADING  expression` with two blanks between them. The
 * expression is a property (`name`, `rule.name`), alternatives (`userName|userId`: the first that is not
 * empty), a condition (`enabled?yes:no`), or a template (`{latencyMs} ms`). What takes more is a function of
 * the row. A string may hold several columns: `ID  id; NAME  name`.
 */
export type Column = string | readonly [heading: string, cell: (row: never) => Cell];

/** How messages of one type are shown: as rows of a list, and one by itself. */
export interface View {
  readonly columns?: readonly Column[];
  readonly fields?: readonly Column[] | ((row: never) => readonly Column[]);
}

/** What a verb works with while it runs. */
export interface Running extends Session {
  /** Options beside the fields of the request, as commander read them. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Words after the verb. */
  readonly words: readonly (string | undefined)[];
  /** Calls another operation by its name, e.g. `GetDevice`. */
  invoke<Answer = Record<string, unknown>>(operation: string, request: object): Promise<Answer>;
  /** All rows of a list; a filter that the list does not have is left out. */
  listAll(
    operation: string,
    request: Record<string, unknown>,
  ): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Rows up to `--limit`, or all with `--all`. */
  listItems(operation: string, request: object): Promise<object>;
  /** The id of an `entry`, a `user`… that is given by name or id. */
  idOf(kind: string, text: unknown): Promise<string>;
  /** Rows as a table on standard output, where a table was asked for. */
  printRows(rows: readonly unknown[], columns: readonly Column[]): void;
  /** A line of the answer, escaped. */
  say(line: string): void;
  /** A line beside the answer, escaped. */
  tell(line: string): void;
}

type Request = Record<string, unknown>;

/** A verb: its operation, and what the contract does not say about the command. */
export interface Verb {
  /** The operation, e.g. `ListEntries`. */
  readonly call: string;
  /** Description in the help; the comment of the operation when absent. */
  readonly about?: string;
  /** Command line after `claviger`; when absent: sample words and the mandatory options. */
  readonly example?: string;
  readonly alias?: string;
  /** The verb of a noun that is given without one. */
  readonly isDefault?: true;

  // The request.
  /**
   * Fields that are given as words, in their order: `name`, `key?`, `roles...`. When absent: those of the
   * path, and the name of a new object. `prepare` and `run` also read words that are not fields.
   */
  readonly words?: string;
  /**
   * Flags of the request's fields, by property: `--for <duration>!  how long` (`!`: mandatory), a description
   * alone, or false for no flag. The contract gives the others.
   */
  readonly flags?: Readonly<Record<string, string | false>>;
  /** No flags but those of `flags` and `options`. */
  readonly bare?: true;
  /**
   * Options that are not fields: `--wait  wait until it has ended`, or with a default: `--timeout
   * <duration>=2m  maximum wait`.
   */
  readonly options?: readonly string[];
  /** Fields that every request has; implies `bare`. */
  readonly fixed?: Readonly<Request>;
  /** The error without any option is "give NEEDS". Operations called Update or Patch need one anyway. */
  readonly needs?: string;
  /** The description of `--file`, a JSON file with the request under the names of the API. */
  readonly file?: string;
  readonly fileIsOptional?: true;
  /** Replaces the reading of that file. */
  readonly readFile?: (file: string) => Promise<object>;
  /** Adds to the request, or refuses it. */
  readonly prepare?: (running: Running, request: Request) => object | Promise<object>;
  /**
   * The question that a terminal asks first, with words in braces: `decommission {0}?`. Operations of DELETE
   * have one anyway.
   */
  readonly confirm?: string;
  /** Asks for the code of a second factor when the server wants one, also without a terminal. */
  readonly code?: true;

  // The answer.
  /** Replaces the call; returns the answer to show, an exit code, or nothing. */
  readonly run?: (running: Running, request: Request, noun: Noun) => Promise<unknown>;
  /** Property of the answer that is a secret shown once: it goes where `--output-file` or `--show` says. */
  readonly secret?: string;
  /** Printed on standard error before the answer; expressions in braces, `{0}` is the first word. */
  readonly told?: string;
  /** A table prints nothing but `told`. */
  readonly quiet?: true;
  /** The answer as a text with expressions in braces, instead of a table; each item of a list is a line. */
  readonly line?: string;
  /** Property of the answer that is shown as a table, after the fields of its view. */
  readonly table?: string;
  /** One object as a table of one row. */
  readonly asTable?: true;
  readonly columns?: readonly Column[];
  /** Lines of one object, instead of those of its view. */
  readonly fields?: readonly Column[];
  /** Message of the rows, where `run` answers a list. */
  readonly rows?: string;
  /** Printed on standard error if the table has no rows. */
  readonly none?: string;
  /** Printed on standard error after the answer: a text with expressions in braces. */
  readonly after?: string | ((answer: never) => string);
  /** Prints the answer instead of a table. */
  readonly print?: (answer: never, running: Running) => void | Promise<void>;
  /** Adds `--save FILE`, which writes the answer to a new file; the message after that, with `{file}`. */
  readonly save?: string;
  readonly exit?: (answer: never) => ExitCode;
}

/** A noun of the command line: one file in `nouns/`, named as it is called. */
export interface Noun {
  readonly about: string;
  /** A former name, which scripts may use. */
  readonly alias?: string;
  /** Services of the contract whose operations are verbs of this noun, e.g. `EntriesService`. */
  readonly services: readonly string[];
  /** Their operations that other commands serve. */
  readonly elsewhere?: readonly string[];
  /** A name for examples, e.g. `app-login`. */
  readonly sample?: string;
  /** What a path parameter called `id` names, e.g. `rule`. */
  readonly id?: string;
  /** What the noun does without a verb. */
  readonly own?: Verb;
  readonly verbs: Readonly<Record<string, Verb>>;
  /** Verbs that are commands of their own: `claviger approve`. */
  readonly shortcuts?: Readonly<Record<string, Verb>>;
  readonly nouns?: Readonly<Record<string, Noun>>;
  /** By the name of the message, e.g. `Entry`. */
  readonly views?: Readonly<Record<string, View>>;
  /** Adds verbs that call no operation, e.g. offline verification. */
  readonly flows?: (noun: Command) => Promise<void>;
}
