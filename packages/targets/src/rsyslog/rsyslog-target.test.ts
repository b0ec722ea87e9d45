import { once } from 'node:events';
import { appendFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { until } from '../until.ts';
import { startRsyslog } from './rsyslog-target.ts';

test('what rsyslog has taken to the end is kept over a kill, and it comes back on its port', async () => {
  await using sink = await startRsyslog();
  const send = async (text: string) => {
    const message = `<110>1 2026-01-02T03:04:05.678Z host app proc id [a@1 b="c"] \ufeff${text}`;
    const socket = connect({ host: sink.host, port: sink.ports.tcp });
    socket.end(`${Buffer.byteLength(message)} ${message}`);
    socket.resume();
    await once(socket, 'close');
  };
  await send('one');
  await sink.stop('SIGKILL');
  // The state after a kill in the middle of a write.
  await appendFile(sink.file, '{"input":"tcp","raw":"to');
  await sink.start();
  await send('two é');
  await until('both', async () => (await sink.records()).length === 2);
  const [one, two] = await sink.records();
  expect(one).toMatchObject({ input: 'tcp', priority: '110', appName: 'app', structuredData: '[a@1 b="c"]' });
  expect(two!.raw).toContain('\ufefftwo é');
});

test('a paused rsyslog reads nothing until it continues', async () => {
  await using sink = await startRsyslog();
  await sink.pause();
  const message = '<110>1 2026-01-02T03:04:05.678Z host app proc id - x';
  const frame = `${message.length} ${message}`;
  const socket = connect({ host: sink.host, port: sink.ports.tcp });
  socket.end(frame);
  socket.resume();
  const closed = once(socket, 'close');
  await until('the bytes', async () => (await sink.unreadBytes()) === frame.length);
  expect(await sink.records()).toEqual([]);
  sink.resume();
  await closed;
  expect(await sink.records()).toHaveLength(1);
  expect(await sink.unreadBytes()).toBe(0);
});
