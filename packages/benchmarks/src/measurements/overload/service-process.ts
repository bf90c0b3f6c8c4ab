import 'reflect-metadata';
import { type ProcessOperations, serveParent } from '../../harness/serve-parent.js';
import { startForwarder } from './forwarder.js';
import type { Upstream } from './jobs-client.js';
import type { RunningService } from './serve-jobs.js';
import { type Shift, startWorkshop, type WorkshopOptions } from './workshop.js';

/** Any of the three services. Gives the addresses that it serves at. */
export interface ServiceProcess extends ProcessOperations {
  startForwarder(upstream: Upstream): Promise<string>;
  startWorkshop(options: WorkshopOptions): Promise<string>;
  /** Of the workshop. */
  shifts(): readonly Shift[];
  close(): Promise<void>;
}

let service: RunningService;
let shifts: readonly Shift[] = [];

serveParent<ServiceProcess>({
  async startForwarder(upstream) {
    service = await startForwarder(upstream);
    return service.address;
  },

  async startWorkshop(options) {
    const workshop = await startWorkshop(options);
    service = workshop;
    shifts = workshop.shifts;
    return workshop.address;
  },

  shifts: () => shifts,

  close: () => service.close(),
});
