import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

type OnClose = (this: ServerResponse) => void;

/**
 * Tells a response that still waits for its turn on a pipelined connection when the connection is closed: until its
 * turn Node tells it nothing of it.
 *
 * @param onClose may run once more, with the response's own 'close'.
 */
export function whenConnectionCloses(socket: Socket, res: ServerResponse, onClose: OnClose): void {
  let queue = queues.get(socket);
  if (queue === undefined) {
    queue = new Map();
    queues.set(socket, queue);
    // One for all: Node warns of a leak at the eleventh listener.
    socket.on('close', tellQueue);
  }
  queue.set(res, onClose);
  res.on('close', leaveQueue);
}

const queues = new WeakMap<Socket, Map<ServerResponse, OnClose>>();

function tellQueue(this: Socket): void {
  for (const [res, onClose] of queues.get(this)!) {
    onClose.call(res);
  }
}

function leaveQueue(this: ServerResponse): void {
  queues.get(this.req.socket)?.delete(this);
}
