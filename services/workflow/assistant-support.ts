import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as assistant from '@claviger/contracts/workflow/v1/assistant';
import { createDocsIndex, sectionsOf } from '@claviger/docs-search';
import { ClavigerError } from '@claviger/errors';
import { publicOrListed } from '@claviger/outbound';
import type { CallOptions } from '@claviger/service-kit';
import { openLoopback } from '@claviger/targets';
import { callerReads } from './src/assistant/caller-reads.ts';
import type { AssistantDeps } from './src/assistant/deps.ts';
import { createProviderCheck } from './src/assistant/provider/provider-check.ts';
import { assistantService } from './src/registry.ts';
import { bind, PATIENT_MS, type Workflow } from './test-support.ts';

export const PAGE = `# Keys

Where keys lie.

## Exchanging the root key

Give the new one with \`claviger keys rotate\`. See [the page](keys.md).
`;

/**
 * Starts the assistant with a workflow service. The test names the entries; only calls with an actor token
 * see them.
 */
export function startAssistant(service: Workflow) {
  const entries: { seenBy: string; id: string; name: string; resourceName: string; secret: string }[] = [];
  const tokens: (string | undefined)[] = [];
  const policy = () => publicOrListed({ cidrs: ['127.0.0.0/8'] }, openLoopback);
  const shown = ({ id, name, resourceName, secret }: (typeof entries)[number]) =>
    // `secret` is not a public field: the assistant must drop it.
    ({ id, name, resourceName, secret, rotationState: 'idle', tags: [] }) as never;
  const inSight = (options: CallOptions | undefined) => {
    tokens.push(options?.actorToken);
    return entries.filter(({ seenBy }) => options?.actorToken?.endsWith(seenBy));
  };
  const deps: AssistantDeps = {
    ...service.deps,
    docs: createDocsIndex(sectionsOf('keys.md', PAGE)),
    providerPolicy: policy,
    checkProvider: createProviderCheck(policy, PATIENT_MS),
    userPermissions: {
      getUserPermissions: async () => ({ active: true, permissions: ['requests.decide'], roles: [] }),
    },
    reads: callerReads(service.deps, {
      users: {
        getUser: async () => {
          throw ClavigerError.notFound();
        },
      },
      entries: {
        listEntries: async ({ search }, options) => {
          const items = inSight(options).filter(({ name }) => name.includes(search));
          return {
            items: items.map(shown),
            page: 1,
            pageSize: 20,
            totalItems: items.length,
            totalPages: 1,
            nextCursor: undefined,
          };
        },
        getEntry: async ({ entryId }, options) => {
          const entry = inSight(options).find(({ id }) => id === entryId);
          if (!entry) throw ClavigerError.notFound();
          return { entry: shown(entry) };
        },
      },
    }),
  };
  return {
    deps,
    entries,
    /** Actor tokens that the vault received. */
    tokens,
    handlers: bind(assistant.AssistantService, assistantService(deps)),
  };
}

export interface FakeProvider extends AsyncDisposable {
  readonly url: string;
  /** Received requests: the body as text, and the headers. */
  readonly requests: { readonly body: string; readonly headers: IncomingMessage['headers'] }[];
  /** Answers each request; `round` is the number of requests before it. */
  answer: (response: ServerResponse, round: number, body: string) => void;
}

/** An OpenAI-compatible server on loopback; the test sets its answers. */
export async function startFakeProvider(): Promise<FakeProvider> {
  const requests: FakeProvider['requests'] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      if (request.url === '/v1/models') return void response.end('{"data":[]}');
      requests.push({ body, headers: request.headers });
      fake.answer(response, requests.length - 1, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeProvider = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    answer: (response) => says(response, 'hello'),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
}

export function says(response: ServerResponse, content: string): void {
  response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content } }] }));
}

export function calls(response: ServerResponse, ...tools: readonly [name: string, args: string][]): void {
  const tool_calls = tools.map(([name, args], index) => ({
    id: `call-${index}`,
    type: 'function',
    function: { name, arguments: args },
  }));
  response.end(JSON.stringify({ choices: [{ message: { role: 'assistant', content: null, tool_calls } }] }));
}
