import 'reflect-metadata';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import { type Load, type Sent, sendAll } from './clients.js';

export interface ClientsProcess extends ProcessOperations {
  sendAll(load: Load): Promise<Sent>;
}

serveParent<ClientsProcess>({ sendAll });
