import { playTo } from './hostile-server.ts';

/** A target that sends these pieces to every client and closes. For fuzz tests. */
export async function startNoise(
  pieces: readonly Uint8Array[],
): Promise<{ readonly port: number } & AsyncDisposable> {
  return playTo((socket) => {
    socket.resume();
    for (const piece of pieces) socket.write(piece);
    socket.end();
  });
}
