import type { JsonSchema } from './json-schema.ts';
import { LIMIT_HEADERS } from './limit-headers.ts';

export const PROBLEM_REF = { $ref: '#/components/responses/Problem' };

/** RFC 9457, with the members of every problem. */
export const problemSchema: JsonSchema = {
  type: 'object',
  properties: {
    type: { type: 'string', format: 'uri', examples: ['urn:claviger:problem:wrong_status'] },
    title: { type: 'string' },
    status: { type: 'integer' },
    detail: { type: 'string' },
    code: { type: 'string', description: 'Stable, for programs.', examples: ['wrong_status'] },
    retryable: { type: 'boolean', description: 'The same request may succeed later without a change.' },
    hint: { type: 'string', description: 'What to do next.' },
    approvalRequestId: {
      type: 'string',
      description: 'With approval_required: the request whose approval the change requires.',
    },
    correlationId: { type: 'string', description: 'The X-Request-Id, by which the logs can be searched.' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          pointer: { type: 'string', description: 'JSON pointer into the request.', examples: ['/reason'] },
          detail: { type: 'string' },
        },
        required: ['pointer', 'detail'],
      },
    },
  },
  required: ['type', 'title', 'status', 'detail', 'code', 'retryable'],
};

export const problemResponse = {
  description: 'A problem (RFC 9457).',
  headers: {
    'X-Request-Id': { schema: { type: 'string' } },
    ...LIMIT_HEADERS,
    'Retry-After': { schema: { type: 'integer' }, description: 'Seconds, with 429 and 503.' },
  },
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};
