import { channel } from 'node:diagnostics_channel';
import { diagnosticsChannels } from './messages.js';

// Held here for good: Node keeps a channel that nobody has subscribed to by a weak reference.

export const callStart = channel(diagnosticsChannels.callStart);
export const callCancel = channel(diagnosticsChannels.callCancel);
export const callEnd = channel(diagnosticsChannels.callEnd);
export const channelOpen = channel(diagnosticsChannels.channelOpen);
export const channelClose = channel(diagnosticsChannels.channelClose);
export const contextNotFound = channel(diagnosticsChannels.contextNotFound);
