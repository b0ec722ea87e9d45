import { z } from 'zod';
import { hostSchema, portSchema } from '../network/host-schema.ts';
import { tlsSchema } from '../network/tls.ts';
import { isJsonPointer } from './json-pointer.ts';
import { placeholdersIn } from './template.ts';

const text = z
  .string()
  .max(2_000)
  .refine((value) => !/\p{Cc}/u.test(value), 'must not hold control characters')
  .refine(
    (value) => placeholdersIn(value).unknown.length === 0,
    'has a placeholder that is none of {username}, {password}, {newPassword}, {adminUsername}, {adminPassword}',
  );

/**
 * `/api/users/{username}/password`. The user name may be a whole segment. Secrets in the path are refused.
 */
const path = z
  .string()
  .max(1_000)
  .regex(/^\/[\x21-\x7e]*$/, 'must begin with / and hold printable ASCII only')
  .refine((value) => !/[\\#]|\/\/|\/\.{1,2}(?:\/|\?|$)/.test(value), 'must be plain: no //, ., .., # or \\')
  .refine(
    (value) => /^(?:\/(?:\{username\}|[^{}/?]*))*(?:\?[^{}]*)?$/.test(value),
    'may hold {username} as a whole segment, and no other placeholder: addresses are written into logs',
  );

/**
 * Headers whose values are credentials. They come from an entry, never from the settings, which many can
 * read.
 */
const credentialHeader = /^(?:authorization|cookie|proxy-authorization)$|token|secret|api-?key|password/i;

const headers = z
  .record(z.string().regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/, 'must be the name of a header'), text)
  .refine((all) => Object.keys(all).length <= 20, 'must not be more than 20')
  .refine(
    (all) =>
      Object.entries(all).every(
        ([name, value]) => !credentialHeader.test(name) || placeholdersIn(value).known.length > 0,
      ),
    'must take credentials from an entry by a placeholder, not hold them',
  )
  .refine(
    (all) =>
      Object.keys(all).every(
        (name) =>
          !/^(?:host|connection|content-length|transfer-encoding|expect|te|trailer|upgrade|keep-alive|proxy-.*)$/i.test(
            name,
          ),
      ),
    'must not hold headers that concern the connection',
  );

const json = z.json().refine((value) => {
  const written = JSON.stringify(value);
  return written.length <= 16_384 && placeholdersIn(written).unknown.length === 0;
}, 'must have at most 16,384 characters and no unknown placeholders');

const request = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH']),
  path,
  headers: headers.default({}),
  basicAuth: z.strictObject({ username: text, password: text }).optional(),
  body: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('json'), value: json }),
      z.strictObject({ type: z.literal('form'), value: z.record(z.string().max(200), text) }),
    ])
    .optional(),
});

const answer = z.strictObject({
  status: z.array(z.int().min(200).max(599)).min(1).max(20),
  /** A JSON pointer (RFC 6901) into the answer; without it only the status is checked. */
  pointer: z.string().max(500).refine(isJsonPointer, 'must be a JSON pointer such as /user/name').optional(),
  /** The expected value; without it any value except null and false. `{username}` is filled in. */
  equals: z.union([text, z.number(), z.boolean()]).optional(),
});

/** Describes an answer that is not the accepted one. The first match applies. */
const refusal = answer.extend({
  /** Matches only with a `Retry-After` header: the target declares that it has not processed the request. */
  retryAfter: z.literal(true).optional(),
  /** What to do next; shown to the administrator. */
  hint: text.optional(),
});

const loginRefusal = refusal.extend({
  kind: z.enum(['authentication', 'permission', 'not_now', 'not_possible']).default('authentication'),
});

const changeRefusal = refusal.extend({
  kind: z.enum(['policy', 'authentication', 'permission', 'not_now', 'not_possible', 'unreachable']),
});

const written = (value: unknown) => JSON.stringify(value);
const uses = (value: unknown, name: string) => placeholdersIn(written(value)).known.includes(name);
const oneOf = (names: readonly string[]) => (value: unknown) =>
  placeholdersIn(written(value)).known.every((name) => names.includes(name));

const verify = request
  .extend({
    accepted: answer,
    /** Answers that mean that the target refused the password, or why the answer does not show it. */
    refused: z
      .array(loginRefusal)
      .max(20)
      .default([
        { status: [401], kind: 'authentication' },
        { status: [423], kind: 'not_possible' },
        { status: [429, 503], kind: 'not_now' },
      ]),
  })
  .refine(oneOf(['username', 'password']), 'may hold {username} and {password} only')
  .refine(
    (value) => uses(value, 'username') && uses(value, 'password'),
    'must hold {username} and {password}',
  );

const rotate = request
  .extend({
    method: z.enum(['POST', 'PUT', 'PATCH']),
    accepted: answer,
    /** Answers that mean that the target certainly kept its password. Every other answer is ambiguous. */
    refused: z
      .array(changeRefusal)
      .max(20)
      .default([
        { status: [401], kind: 'authentication' },
        { status: [403, 404, 405], kind: 'permission' },
        { status: [400, 409, 422], kind: 'policy' },
        { status: [423], kind: 'not_possible' },
        { status: [429], kind: 'not_now' },
        // A gateway can send the status without `Retry-After` after the change was made.
        { status: [503], retryAfter: true, kind: 'not_now' },
      ]),
  })
  // The request names the account, so that a session of another user cannot change another password.
  .refine(
    (value) => uses(value, 'username') && uses(value, 'newPassword'),
    'must hold {username} and {newPassword}',
  );

/** The settings of a target with its own HTTP API. */
export const httpConfigSchema = z
  .strictObject({
    host: hostSchema,
    port: portSchema.default(443),
    tls: tlsSchema.default({ mode: 'system' }),
    /** Who changes the password: the account itself with its current password, or an administrator. */
    rotateAs: z.enum(['self', 'admin']).default('self'),
    verify,
    rotate,
  })
  .refine(
    ({ rotateAs, rotate }) =>
      rotateAs === 'admin'
        ? uses(rotate, 'adminPassword') && !uses(rotate, 'password')
        : uses(rotate, 'password') && !uses(rotate, 'adminPassword') && !uses(rotate, 'adminUsername'),
    {
      path: ['rotate'],
      message:
        'must authenticate: with {password} for rotateAs self, with {adminUsername} and {adminPassword} for rotateAs admin',
    },
  );

export type HttpConfig = z.output<typeof httpConfigSchema>;
export type HttpRequest = z.output<typeof request>;
export type HttpAnswer = z.output<typeof answer>;
export type LoginRefusal = z.output<typeof loginRefusal>;
export type ChangeRefusal = z.output<typeof changeRefusal>;
