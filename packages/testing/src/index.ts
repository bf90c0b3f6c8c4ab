export { type FakeCallContext, fakeCallContext } from './fake-call-context.js';
export { failedCall, streamingCall, unaryCall } from './mocked-calls.js';
export { startTestHost, type TestHost, type TestHostSetup } from './test-host.js';
