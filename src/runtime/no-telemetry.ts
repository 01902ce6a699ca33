// To be imported before onnxruntime-node. From 1.30 on, ONNX Runtime keeps a database of what it did and an id of the
// machine in the user's cache folder, and uploads them; a compressor of private networks sends nothing anywhere.
// Whoever wants it sets the variable to 0. Only the main thread's environment is the process's own, which threads and
// children inherit: so the main thread has to come by here, too.
process.env['ORT_DISABLE_TELEMETRY'] ??= '1'
