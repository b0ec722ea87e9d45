import { type HttpBinding, type MethodInfo, updateMaskOf } from '@claviger/contracts';
import type { FieldProblem } from '@claviger/errors';
import { JsonError, parseStrictJson } from '../json/parse-strict-json.ts';
import { bodyDecoder } from './body-decoder.ts';
import { invalidFields } from './fields-error.ts';
import { type Message, messageTemplate, place } from './message-template.ts';
import { queryDecoder } from './query-decoder.ts';
import { integerProblem } from './scalar-rules.ts';

export interface RestInput {
  /** By proto name, percent-decoded. */
  readonly path: Readonly<Record<string, string>>;
  /** Raw, without the question mark. */
  readonly query: string;
  readonly body: Uint8Array | undefined;
}

/** Decodes a REST request into the request message; throws `invalid` with each invalid field. */
export type RequestDecoder = (input: RestInput) => Message;

/** Proto names of the fields in a path template. */
export function pathFields(template: string): string[] {
  return [...template.matchAll(/\{([a-z0-9_]+)\}/g)].map((match) => match[1]!);
}

/**
 * Compiles the decoder of one route. Throws at start when the path in the contract names an unknown field.
 */
export function requestDecoder(method: MethodInfo, binding: HttpBinding): RequestDecoder {
  const create = messageTemplate(method.request);
  const names = pathFields(binding.path);
  const inPath = names.map((name) => {
    const field = method.request.fields.find((each) => each.protoName === name);
    if (field?.repeated !== false || (field.kind !== 'string' && field.kind !== 'integer'))
      throw new Error(
        `${method.path}: {${name}} in its path is not a string or integer field of its request.`,
      );
    return field;
  });
  const except = new Set(names);
  const mask = updateMaskOf(method.request);
  // Clients cannot set the mask: in a request it is an unknown field.
  const offered = { ...method.request, fields: method.request.fields.filter((field) => field !== mask) };
  const fillFromQuery = queryDecoder(offered, except);
  const fillFromBody = bodyDecoder(offered, except);
  const refuseQuery = queryDecoder({ ...method.request, fields: [] }, except);
  return (input) => {
    const message = create();
    const problems: FieldProblem[] = [];
    for (const field of inPath) {
      const text = input.path[field.protoName]!;
      if (field.kind === 'string') place(message, field, text);
      else if (/^(?:0|[1-9]\d{0,15})$/.test(text) && !integerProblem(Number(text), field.int32))
        place(message, field, Number(text));
      else problems.push({ pointer: `/${field.jsonName}`, detail: 'must be a whole number' });
    }
    if (input.query !== '') (binding.body ? refuseQuery : fillFromQuery)(message, input.query, problems);
    if (binding.body && input.body && input.body.length > 0) {
      const json = parsed(input.body);
      fillFromBody(message, json, '', problems);
      if (mask) message[mask.property] = Object.keys(json);
    }
    if (problems.length > 0) throw invalidFields(problems);
    return message;
  };
}

function parsed(body: Uint8Array): Record<string, unknown> {
  try {
    return parseStrictJson(body);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw invalidFields([{ pointer: error.pointer, detail: error.message }], error.code);
  }
}
