import { withSession } from '@claviger/api-client/session';
import { withStepUp } from '@claviger/api-client/step-up';
import type { MessageInfo, MethodInfo } from '@claviger/contracts';
import { escapeText } from '@claviger/terminal/escape';
import { readJsonFile } from '@claviger/terminal/json-file';
import { writeNewFile } from '@claviger/terminal/new-file';
import { say, tell } from '@claviger/terminal/output';
import { type Disclosure, prepareSecretOutput } from '@claviger/terminal/secret-output';
import { Option } from 'commander';
import { fieldsText, template } from './cells.ts';
import { confirmed } from './confirm.ts';
import { fieldValue, refuseUnknownNames, valuesOf } from './field-values.ts';
import { type Flag, isChange, parseFlag, showsSecrets } from './flags.ts';
import { listAll, listItems, rowsOf } from './lists.ts';
import { idOf } from './names.ts';
import type { Noun, Running, Verb } from './noun.ts';
import { columnsOf, printFields, printForPrograms, printMessage, printRows } from './print-answer.ts';
import { refuse } from './refuse.ts';
import type { Word } from './words.ts';

/** A verb with its operation, words and flags. */
export interface BuiltVerb {
  readonly name: string;
  /** Words of the command after `claviger`. */
  readonly path: string;
  readonly noun: Noun | undefined;
  readonly verb: Verb;
  readonly info: MethodInfo;
  readonly words: readonly Word[];
  readonly flags: readonly Flag[];
}

type Options = Readonly<Record<string, unknown>>;
type Answer = Readonly<Record<string, unknown>>;

/** Runs a verb: confirmation, request from words and flags, call, answer in the requested format. */
export async function runVerb(built: BuiltVerb, words: Running['words'], options: Options): Promise<void> {
  const { verb, info } = built;
  if (showsSecrets(info, verb) && process.stdout.isTTY && !options.show)
    throw refuse('the answer contains secrets: pipe it, or give --show to print them on the terminal');
  const question = verb.confirm ?? (info.http[0]!.method === 'DELETE' ? `${built.name} {0}?` : undefined);
  refuseNothing(built, options);
  await confirmed(question, words, options);
  await withSession(options, async (session) => {
    const running: Running = {
      ...session,
      options,
      words,
      listAll: (name, request) => listAll(session.api, name, request),
      listItems: (name, request) => listItems(session.api, name, request, options),
      idOf: (kind, text) => idOf(session.api, kind, String(text)),
      printRows,
      say: (line) => say(escapeText(line)),
      tell: (line) => tell(escapeText(line)),
    };
    const read = await requestOf(built, running);
    const request = { ...read, ...(await verb.prepare?.(running, read)) };
    if (verb.secret !== undefined) return deliverSecret(built, running, request);
    if (verb.run === undefined) {
      const call = async (): Promise<Answer> =>
        rowsOf(info.response) === undefined
          ? session.api.invoke(info, request)
          : { ...(await listItems(session.api, info.name, request, options)) };
      return show(built, running, await stepping(built, running, call));
    }
    const result = await stepping(built, running, () => verb.run!(running, request, built.noun!));
    if (typeof result === 'number') process.exitCode = result;
    else if (result !== undefined) await show(built, running, result as Answer);
  });
}

/** Throws a usage error for a change without a field, before any call. */
function refuseNothing({ verb, info, flags, path }: BuiltVerb, options: Options): void {
  const needsField = isChange(info.name) && verb.file === undefined && !verb.fixed && !verb.run;
  if (!needsField && verb.needs === undefined) return;
  const named = [
    ...flags.map(({ options: [option] }) => option!),
    ...(verb.options ?? []).map((text) => new Option(parseFlag(text).flag)),
  ];
  if (named.some((option) => options[option.attributeName()] !== undefined)) return;
  throw refuse(
    verb.needs === undefined
      ? `give at least one field to change: \`claviger ${path} --help\``
      : `give ${verb.needs}`,
  );
}

async function requestOf(
  { verb, info, words, flags }: BuiltVerb,
  running: Running,
): Promise<Record<string, unknown>> {
  const request: Record<string, unknown> = { ...verb.fixed };
  const { sort, descending } = running.options;
  if (sort !== undefined) Object.assign(request, { sortBy: sort, sortOrder: descending ? 'desc' : 'asc' });
  for (const [index, word] of words.entries()) {
    const given = running.words[index];
    const field = info.request.fields.find(({ property }) => property === word.property);
    if (given === undefined || (Array.isArray(given) && given.length === 0) || field === undefined) continue;
    request[word.property] = await fieldValue(field, given, word.usage, running.api, word.kind);
  }
  if (verb.file !== undefined && running.options.file !== undefined) {
    const file = String(running.options.file);
    const json = await (verb.readFile ?? readJsonFile)(file);
    refuseUnknownNames(file, json, info.request);
    Object.assign(request, json);
  }
  Object.assign(request, await valuesOf(flags, running.options, running.api));
  const replaces = request.tags !== undefined && info.request.byJsonName.has('replaceTags');
  return replaces ? { ...request, replaceTags: true } : request;
}

/** Does the work; if it requires a recent second factor, asks for a code and repeats it. */
function stepping<T>({ verb, info }: BuiltVerb, running: Running, work: () => Promise<T>): Promise<T> {
  const asks =
    verb.code || (info.policy?.stepUp && (running.options.codeStdin === true || process.stdin.isTTY));
  return asks ? withStepUp(running, running.options, work) : work();
}

async function show(built: BuiltVerb, running: Running, answer: Answer): Promise<void> {
  const { verb, info, name } = built;
  const whole = info.response.fields.find(({ protoName }) => protoName === info.http[0]?.responseBody);
  const shown = (
    whole === undefined || !(whole.property in answer) ? answer : answer[whole.property]
  ) as Answer;
  if (verb.exit !== undefined) process.exitCode = verb.exit(shown as never);
  const { save } = running.options;
  if (verb.save !== undefined && save !== undefined) {
    await writeNewFile(String(save), `${JSON.stringify(shown)}\n`);
    tell(template(verb.save, { file: save }));
  }
  const isEmpty = info.response.fields.length === 0 && verb.run === undefined;
  if (isEmpty) return tell(template(verb.told ?? doneText(name), answer));
  if (await printForPrograms(running.format, shown)) return;
  if (verb.told !== undefined) tell(template(verb.told, { ...answer, ...running.words }));
  await printForPerson(built, running, shown, whole?.message ?? info.response);
  const after =
    typeof verb.after === 'function'
      ? escapeText(verb.after(shown as never))
      : template(verb.after ?? '', shown, '\n');
  if (after !== '') tell(after);
}

async function printForPerson(
  { verb, info, noun }: BuiltVerb,
  running: Running,
  shown: Answer,
  message: MessageInfo,
): Promise<void> {
  if (verb.quiet) return;
  if (verb.print !== undefined) return verb.print(shown as never, running);
  if (verb.fields !== undefined) return say(fieldsText(verb.fields, shown));
  if (verb.line !== undefined) {
    const text = template(verb.line, shown, '\n');
    return text === '' ? undefined : say(text);
  }
  const listed = verb.rows ?? rowsOf(info.response);
  if (listed !== undefined || (message.fields.length === 1 && message.fields[0]!.repeated)) {
    const row = info.response.fields.find(({ repeated, message: each }) => repeated && each)?.message;
    const rows = shown.items as unknown[];
    if (rows.length === 0 && verb.none !== undefined) return tell(verb.none);
    return printRows(rows, verb.columns ?? columnsOf(noun, verb.rows ?? row!));
  }
  if (verb.asTable) return printRows([shown], verb.columns ?? columnsOf(noun, message));
  if (verb.table === undefined) return printMessage(noun, message, shown);
  const rows = shown[verb.table] as unknown[];
  printFields(noun, message, shown);
  const row = message.fields.find(({ property }) => property === verb.table)!.message!;
  if (rows.length > 0) printRows(rows, verb.columns ?? columnsOf(noun, row));
  else if (verb.none !== undefined) tell(verb.none);
}

/** `delete` → `deleted`; verbs of several words are `done`. */
const doneText = (name: string) =>
  name.includes('-') ? 'done' : `${name}${name.endsWith('e') ? 'd' : 'ed'}`;

/** Prepares the output before it calls the server, because the secret is returned only once. */
async function deliverSecret(built: BuiltVerb, running: Running, request: object): Promise<void> {
  const { verb, info } = built;
  const property = verb.secret!;
  // JSON contains the whole answer, except a secret that is written to a file.
  const isDisclosure = property === 'secret';
  const intoFile = running.options.outputFile !== undefined;
  const output = await prepareSecretOutput(
    running.options,
    intoFile && !isDisclosure ? 'table' : running.format,
  );
  const call = () => running.api.invoke(info, request);
  const answer = await stepping(built, running, call).catch(async (error: unknown) => {
    await output.abandon();
    throw error;
  });
  if (isDisclosure) return output.deliver(answer as unknown as Disclosure);
  const { [property]: secret, ...rest } = answer;
  if (verb.told !== undefined) tell(template(verb.told, answer));
  if (intoFile || running.format === 'table')
    await output.deliver({ username: '', version: 1, receipt: undefined, secret: String(secret) });
  await printForPrograms(running.format, intoFile ? rest : answer);
}
