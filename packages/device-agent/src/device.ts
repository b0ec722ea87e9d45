import { randomUUID } from 'node:crypto';
import type { ApiClient } from '@claviger/api-client';
import { methodOf } from '@claviger/contracts';
import * as devices from '@claviger/contracts/auth/v1/devices';
import * as elevation from '@claviger/contracts/workflow/v1/elevation';
import { CommandError, EXIT } from '@claviger/terminal/exit-codes';
import type { Done } from './command-journal.ts';
import type { Persist } from './persist.ts';
import type { TokenFile } from './token-file.ts';

const { ingestElevationRequest, getAgentElevationRequest, fetchAgentCommands, reportCommandOutcome } =
  elevation.AgentElevationsService;
const { getAgentConfiguration, rotateOwnAgentToken } = devices.AgentsService;

/** The longest poll that the server allows. */
const WAIT_SECONDS = 20;

type Report = Partial<elevation.IngestElevationRequestRequest>;

/** Calls of the device. Each is repeated while the server is unavailable. */
export interface Device {
  capturesPrompts(signal: AbortSignal): Promise<boolean>;
  report(
    prompt: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<elevation.IngestElevationRequestResponse>;
  statusOf(requestId: string, signal: AbortSignal): Promise<string>;
  /** Commands without a reported outcome; waits if there are none. */
  commands(signal: AbortSignal): Promise<readonly elevation.AgentCommand[]>;
  reportOutcome(commandId: string, done: Done, signal: AbortSignal): Promise<void>;
  rotateToken(signal: AbortSignal): Promise<void>;
}

export function createDevice(id: string, api: ApiClient, tokens: TokenFile, persist: Persist): Device {
  return {
    capturesPrompts: async (signal) => {
      const ask = () => api.call(getAgentConfiguration, { agentId: id }, { once: true, signal });
      const { configuration } = await persist(ask, signal);
      return configuration?.pam?.uacInterceptionEnabled ?? true;
    },
    report: (prompt, signal) => {
      // All attempts have the same id and key, so a prompt whose answer was lost does not become two
      // requests.
      const request = { report_id: randomUUID(), observed_at: new Date().toISOString(), ...prompt };
      const how = { once: true, signal, idempotencyKey: randomUUID() };
      return persist(() => api.call(ingestElevationRequest, { ...messageOf(request), id }, how), signal);
    },
    statusOf: async (requestId, signal) => {
      const ask = () => api.call(getAgentElevationRequest, { id, requestId }, { once: true, signal });
      return (await persist(ask, signal)).status;
    },
    commands: async (signal) => {
      const ask = () =>
        api.call(fetchAgentCommands, { id, waitSeconds: WAIT_SECONDS }, { once: true, signal });
      return (await persist(ask, signal)).commands;
    },
    reportOutcome: async (commandId, { outcome, detail }, signal) => {
      const report = { id, commandId, outcome, detail };
      // A repeated report has no further effect, so it needs no key.
      await persist(() => api.call(reportCommandOutcome, report, { once: true, signal }), signal);
    },
    rotateToken: async (signal) => {
      const ask = () => api.call(rotateOwnAgentToken, { agentId: id }, { once: true, signal });
      // If the answer was lost, the new token is unknown. The former token still works, and the next rotation
      // ends both.
      await tokens.replace((await persist(ask, signal)).agentToken);
    },
  };
}

/** Scripts use the field names of the API. */
function messageOf(prompt: Readonly<Record<string, unknown>>): Report {
  const { byJsonName } = methodOf(ingestElevationRequest.path).request;
  return Object.fromEntries(
    Object.entries(prompt).map(([name, value]) => {
      const field = name === 'id' ? undefined : byJsonName.get(name);
      if (field !== undefined) return [field.property, value];
      const known = [...byJsonName.keys()].filter((each) => each !== 'id').join(', ');
      throw new CommandError(`a prompt has no ${name}; it may have ${known}`, EXIT.usage);
    }),
  );
}
