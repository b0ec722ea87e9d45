import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type KmsMode = 'ok' | 'denied' | 'throttled' | 'slow' | 'down' | 'lies' | 'disabled' | 'gateway';

/** A KMS with one key and selectable failures, for tests. */
export interface FakeKms extends AsyncDisposable {
  readonly endpoint: string;
  mode: KmsMode;
  /** In mode `throttled`: number of calls that are still refused. */
  refusals: number;
  /** In mode `lies`: changes each answer, e.g. its `Plaintext`. */
  lie: (answer: Record<string, string>, operation: string) => Record<string, string>;
  readonly calls: { operation: string; authorization: string; context: Record<string, string> }[];
}

interface Question {
  KeyId: string;
  Plaintext: string;
  CiphertextBlob: string;
  EncryptionContext: Record<string, string>;
}

export async function startFakeKms(keyArn: string): Promise<FakeKms> {
  const key = randomBytes(32);
  const held: ServerResponse[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(Buffer.concat(chunks).toString(), request.headers, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const fake: FakeKms = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mode: 'ok',
    refusals: Number.POSITIVE_INFINITY,
    lie: (good) => good,
    calls: [],
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        for (const response of held) response.destroy();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };

  function answer(body: string, headers: NodeJS.Dict<string | string[]>, response: ServerResponse): void {
    const question = JSON.parse(body) as Question;
    const operation = String(headers['x-amz-target']).split('.')[1]!;
    const authorization = String(headers.authorization);
    fake.calls.push({ operation, authorization, context: question.EncryptionContext });
    const say = (status: number, content: object) =>
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.1' })
        .end(JSON.stringify(content));
    const refuse = (type: string) => say(400, { __type: type, message: 'no' });
    if (fake.mode === 'down') return void response.destroy();
    if (fake.mode === 'slow') return void held.push(response);
    if (fake.mode === 'gateway') return void response.writeHead(502).end('<html>bad gateway</html>');
    if (fake.mode === 'denied') return void refuse('AccessDeniedException');
    if (fake.mode === 'disabled') return void refuse('com.amazonaws.kms#DisabledException');
    if (fake.mode === 'throttled' && fake.refusals-- > 0) return void refuse('ThrottlingException');
    if (question.KeyId !== keyArn) return void refuse('NotFoundException');
    const aad = Buffer.from(JSON.stringify(Object.entries(question.EncryptionContext).sort()));
    let good: Record<string, string>;
    if (operation === 'Encrypt') {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: 16 }).setAAD(aad);
      const sealed = Buffer.concat([
        cipher.update(Buffer.from(question.Plaintext, 'base64')),
        cipher.final(),
      ]);
      good = {
        KeyId: keyArn,
        CiphertextBlob: Buffer.concat([iv, sealed, cipher.getAuthTag()]).toString('base64'),
      };
    } else {
      const blob = Buffer.from(question.CiphertextBlob, 'base64');
      try {
        const cipher = createDecipheriv('aes-256-gcm', key, blob.subarray(0, 12), { authTagLength: 16 });
        cipher.setAAD(aad).setAuthTag(blob.subarray(-16));
        const plain = Buffer.concat([cipher.update(blob.subarray(12, -16)), cipher.final()]);
        good = { KeyId: keyArn, Plaintext: plain.toString('base64') };
      } catch {
        return void refuse('InvalidCiphertextException');
      }
    }
    say(200, fake.mode === 'lies' ? fake.lie(good, operation) : good);
  }
  return fake;
}
