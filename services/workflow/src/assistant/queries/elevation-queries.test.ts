import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startAssistant } from '../../../assistant-support.ts';
import { type Elevations, startElevations, TECHNICIAN } from '../../../elevation-support.ts';

let service: Elevations;
let assistant: ReturnType<typeof startAssistant>;
beforeAll(async () => {
  service = await startElevations();
  assistant = startAssistant(service);
});
afterAll(() => service?.[Symbol.asyncDispose]());

test('pending and active elevations are shown within the sites of the caller', async () => {
  const tenant = service.tenant();
  const ann = tenant.user([...TECHNICIAN, 'assistant.use']);
  const waiting = await service.prompt(service.devices.add(tenant.tenantId));
  const approved = await service.prompt(service.devices.add(tenant.tenantId));
  await service.elevations.respondToElevation(ann, { id: approved, decision: 'approve' });
  const ask = async (actor: typeof ann, message: string) =>
    (await assistant.handlers.askAssistant(actor, { message })).answer;

  const pending = await ask(ann, 'Which elevations are pending?');
  expect(pending).toContain(`elevation ${waiting}`);
  expect(pending).not.toContain(approved);
  const active = await ask(ann, 'Which elevations are in force?');
  expect(active).toContain(`elevation ${approved}`);
  expect(active).not.toContain(waiting);

  const elsewhere = { ...ann, siteIds: [randomUUID()] };
  const foreign = service.tenant().user([...TECHNICIAN, 'assistant.use']);
  for (const nobody of [elsewhere, foreign]) {
    expect(await ask(nobody, 'Which elevations are pending?')).toMatch(/^No elevation that you may see/);
    expect(await ask(nobody, 'Which elevations are in force?')).toMatch(/^No elevation that you may see/);
  }
  const requester = tenant.user(['assistant.use']);
  expect(await ask(requester, 'Which elevations are pending?')).toContain('devices.read is needed');
});
