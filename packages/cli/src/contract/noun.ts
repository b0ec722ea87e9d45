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

/** What a verb says beside the contract. Only the operation is needed. */
export interface Verb {
  /** The operation, e.g. `ListEntries`. */
  readonly call: string;
  /** For the help; the contract's comment when absent. */
  readonly about?: string;
  /** Words after `claviger`; made from the verb's words when absent. */
  readonly example?: string;
  readonly alias?: string;
  /** The verb of a noun that is given without one. */
  readonly isDefault?: true;

  // The request.
  /**
   * Fields that are given as words, in their order: `name`, `key?`, `roles...`, `ownerId=user`. Those of the
   * path when absent.
   */
  readonly words?: string;
  /**
   * Flags of the request's fields, by property: `--for <duration>!  how long` (`!`: mandatory), a description
   * alone, or false for no flag. The others get theirs from the contract.
   */
  readonly flags?: Readonly<Record<string, string | false>>;
  /** No flags but those of `flags` and `options`. */
  readonly bare?: true;
  /**
   * Options that are no field: `--wait  wait until it has ended`, or with a default: `--timeout <duration>=2m
   * how long`.
   */
  readonly options?: readonly string[];
  /** What every request holds; implies `bare`. */
  readonly fixed?: Readonly<Request>;
  /** Refused without any flag: "give NEEDS". Operations called Update or Patch need one anyway. */
  readonly needs?: string;
  /** A file with JSON is the request, under the names of the API: the description of `--file`. */
  readonly file?: string;
  readonly fileIsOptional?: true;
  /** Reads that file in a way of its own. */
  readonly readFile?: (file: string) => Promise<object>;
  /** Adds to the request, or refuses it. */
  readonly prepare?: (running: Running, request: Request) => object | Promise<object>;
  /**
   * A question before it is done at a terminal, over the words: `decommission {0}?`. Operations of DELETE
   * have one anyway.
   */
  readonly confirm?: string;
  /** Asks for the code of a second factor when the server wants one, also without a terminal. */
  readonly code?: true;

  // The answer.
  /** Takes the place of the one call; answers what is shown, an exit code, or nothing. */
  readonly run?: (running: Running, request: Request, noun: Noun) => Promise<unknown>;
  /** Property of the answer that is a secret shown once: it goes where `--output-file` or `--show` says. */
  readonly secret?: string;
  /** Told on standard error before the answer; expressions in braces, `{0}` is the first word. */
  readonly told?: string;
  /** Nothing is printed for a person but what is told. */
  readonly quiet?: true;
  /** The answer for a person, with expressions in braces; each item of a list is a line. */
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
  /** Told where a table has no rows. */
  readonly none?: string;
  /** Told after the answer, with expressions in braces. */
  readonly after?: string | ((answer: never) => string);
  /** Shows the answer to a person in a way of its own. */
  readonly print?: (answer: never, running: Running) => void | Promise<void>;
  /** `--save FILE` keeps the answer in a new file: what is told then, with `{file}`. */
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
  /** Adds verbs that are made by hand. */
  readonly flows?: (noun: Command) => Promise<void>;
}
