/** A reason to refuse a request that is valid by its schemas. */
export interface Design {
  readonly name: string;
  readonly statuses: readonly number[];
  /** `code` of the problem; any code of these statuses when absent. */
  readonly codes?: readonly string[];
  /** Each of the problem's `errors` points to a place with this extension. */
  readonly marks?: 'x-claviger-rule' | 'x-exclusive';
  readonly description: string;
}

/**
 * All such reasons, published in the document as `x-designs`. Generators of requests (clients, fuzzers) use
 * the list to distinguish intended refusals from undocumented ones.
 */
export const designs: readonly Design[] = [
  {
    name: 'sign-in',
    statuses: [401],
    description: 'The token is missing, not valid, or its session has ended.',
  },
  {
    name: 'permission',
    statuses: [403],
    description:
      'The caller lacks the permission (x-claviger-permission), is of the wrong kind (agents, the platform tenant), lacks a recent second factor (x-claviger-step-up), or has no access to this object.',
  },
  {
    name: 'unknown-object',
    statuses: [404],
    description:
      'A well-formed id names no object, or one that the caller may not see. The answers are identical.',
  },
  {
    name: 'state',
    statuses: [409],
    description:
      'The object is in a state that the operation does not allow, a name is taken, or a limit is reached; `code` says which.',
  },
  { name: 'gone', statuses: [410], description: 'The object existed and was permanently removed.' },
  {
    name: 'condition',
    statuses: [412],
    description:
      'If-Match or rowVersion differs from the version of the object, or the operation does not support conditions.',
  },
  {
    name: 'size',
    statuses: [413],
    description:
      'The body is larger than x-claviger-max-body-bytes (1 MiB by default). Each field may have the maximum length of its schema, but not all of them at once.',
  },
  {
    name: 'json-limit',
    statuses: [400],
    codes: ['json_limit'],
    description:
      'The body contains more than 1,000 values (members and list items), or is nested more than 20 levels deep.',
  },
  {
    name: 'idempotency-key',
    statuses: [409, 422],
    codes: ['idempotency_replayed', 'request_in_progress', 'idempotency_key_reused'],
    description: 'The Idempotency-Key was used before: for this request (409) or for another one (422).',
  },
  {
    name: 'limit',
    statuses: [429],
    description: 'Too many requests; Retry-After says when to try again.',
  },
  {
    name: 'rule',
    statuses: [400],
    marks: 'x-claviger-rule',
    description:
      'A field or an object violates a rule that a schema cannot express and that is given as x-claviger-rule. The problem points to the field, into it, or to the object.',
  },
  {
    name: 'exclusive',
    statuses: [400],
    marks: 'x-exclusive',
    description:
      'Two parameters exclude each other. OpenAPI 3.1 cannot express that, so the operation lists such groups as x-exclusive. Body fields that exclude each other are variants of a oneOf.',
  },
];
