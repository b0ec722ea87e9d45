import { randomUUID } from 'node:crypto';
import type { RestClient } from '@claviger/testkit';

export interface Device {
  readonly id: string;
  readonly hostname: string;
  /** The agent of the device, with its token. */
  readonly agent: RestClient;
}

/** A new device with the token of its agent. */
export async function enrolDevice(administrator: RestClient, siteId = ''): Promise<Device> {
  const hostname = `WIN-${randomUUID().slice(0, 8)}`;
  const { device, agentToken } = await administrator.must('POST', '/api/v1/devices', {
    hostname,
    ...(siteId ? { siteId } : {}),
  });
  const { id } = device as { id: string };
  return { id, hostname, agent: administrator.as(agentToken as string) };
}

/** The report of a prompt that no rule matches. */
export function promptOf(fields: object = {}): object {
  return {
    subject_username: 'acme\\sarah',
    target_executable_path: 'C:\\Users\\sarah\\Downloads\\FirefoxSetup.exe',
    target_executable_hash: 'a'.repeat(64),
    target_executable_signer: 'Mozilla Corporation',
    pid: 4812,
    parent_image: 'C:\\Windows\\explorer.exe',
    command_line: 'FirefoxSetup.exe /S',
    observed_at: new Date().toISOString(),
    report_id: randomUUID(),
    ...fields,
  };
}

/** Reports a prompt of the device; returns the id of the request. */
export async function reportPrompt({ id, agent }: Device, fields: object = {}): Promise<string> {
  const answer = await agent.must('POST', `/api/v1/agents/${id}/elevation-requests`, promptOf(fields));
  return answer.id as string;
}
