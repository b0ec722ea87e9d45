import type { JsonSchema, Paths } from '@claviger/contracts';

const check: JsonSchema = {
  type: 'object',
  properties: {
    service: { type: 'string' },
    name: { type: 'string' },
    ok: { type: 'boolean' },
    required: { type: 'boolean' },
    problem: { type: 'string' },
    latencyMs: { type: 'integer' },
  },
  required: ['name', 'ok', 'required', 'latencyMs'],
};
const status: JsonSchema = {
  type: 'string',
  examples: ['ok', 'degraded', 'sealed', 'restore_unfinished', 'unavailable'],
};
const component: JsonSchema = {
  type: 'object',
  properties: { status, checks: { type: 'array', items: check } },
  required: ['status', 'checks'],
};

const detail: JsonSchema = {
  type: 'object',
  properties: {
    status,
    version: { type: 'string' },
    node: { type: 'string' },
    degraded: { type: 'array', items: { type: 'string' } },
    breakglass: {
      type: 'object',
      properties: {
        status: { type: 'string', examples: ['open', 'closed', 'unknown'] },
        openSessions: { type: 'integer' },
        expiresAt: { type: 'string', format: 'date-time' },
      },
      required: ['status', 'openSessions'],
    },
    database: component,
    vault: {
      type: 'object',
      properties: { status, sealed: { type: 'boolean' } },
      required: ['status', 'sealed'],
    },
    scheduler: component,
    services: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          service: { type: 'string' },
          status,
          node: { type: 'string' },
          version: { type: 'string' },
          checks: { type: 'array', items: check },
        },
        required: ['service', 'status', 'node', 'version', 'checks'],
      },
    },
  },
  required: [
    'status',
    'version',
    'node',
    'degraded',
    'breakglass',
    'database',
    'vault',
    'scheduler',
    'services',
  ],
};

const PROBLEM = { $ref: '#/components/responses/Problem' };

function probe(name: string, summary: string, properties: JsonSchema['properties'], more: object = {}) {
  const schema: JsonSchema = { type: 'object', properties: properties!, required: Object.keys(properties!) };
  return {
    get: {
      operationId: `Health.${name}`,
      tags: ['Health'],
      summary,
      security: [],
      parameters: [],
      responses: {
        200: { description: 'Done.', content: { 'application/json': { schema } } },
        ...more,
        default: PROBLEM,
      },
      'x-claviger-owner': 'gateway',
      'x-claviger-head': true,
      'x-claviger-operations': [`rp.system.health.${name}`],
    },
  };
}

/** The gateway's own operations in the OpenAPI document. */
export const healthOperations: Paths = {
  '/system/health/ping': probe('ping', 'Shows that the gateway runs, and its version', {
    status,
    version: { type: 'string' },
  }),
  '/system/health/live': probe('live', 'Liveness probe', { status }),
  '/system/health/ready': probe(
    'ready',
    'Readiness probe',
    { status },
    {
      503: {
        description: 'A service is unavailable, or the vault is sealed.',
        content: {
          'application/json': { schema: { type: 'object', properties: { status }, required: ['status'] } },
        },
      },
    },
  ),
  '/system/health/detail': {
    get: {
      operationId: 'Health.detail',
      tags: ['Health'],
      summary: 'Health of the dependencies',
      security: [{ bearer: [] }],
      parameters: [],
      responses: {
        200: { description: 'Done.', content: { 'application/json': { schema: detail } } },
        401: PROBLEM,
        403: PROBLEM,
        429: PROBLEM,
        default: PROBLEM,
      },
      'x-claviger-owner': 'gateway',
      'x-claviger-head': true,
      'x-claviger-rate-tier': 'standard',
      'x-claviger-operations': ['rp.system.health.detail'],
    },
  },
};
