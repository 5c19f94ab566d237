package genoflow.news

import groovy.json.JsonOutput
import groovy.transform.CompileStatic
import nextflow.Session
import nextflow.processor.TaskHandler
import nextflow.trace.TraceObserver
import nextflow.trace.TraceObserverFactory
import nextflow.trace.TraceRecord

// Says what -with-weblog says, to the address that it names, where no plugin is there to do it.
@CompileStatic
class NewsFactory implements TraceObserverFactory {
    @Override
    Collection<TraceObserver> create(Session session) {
        final weblog = session.config.get('weblog')
        final url = weblog instanceof Map ? ((Map) weblog).get('url') : null
        return url ? [(TraceObserver) new News(session, new URL(url.toString()))] : Collections.<TraceObserver>emptyList()
    }
}

@CompileStatic
class News implements TraceObserver {
    private static final int ANSWER_MILLISECONDS_MAX = 2_000  // the receiver only puts it on a list
    private final Session session
    private final URL url

    News(Session session, URL url) {
        this.session = session
        this.url = url
    }

    @Override void onFlowBegin() { say('started', null) }
    @Override void onFlowComplete() { say('completed', null) }
    @Override void onFlowError(TaskHandler handler, TraceRecord trace) { say('error', trace) }
    @Override void onProcessSubmit(TaskHandler handler, TraceRecord trace) { say('process_submitted', trace) }
    @Override void onProcessStart(TaskHandler handler, TraceRecord trace) { say('process_started', trace) }
    @Override void onProcessComplete(TaskHandler handler, TraceRecord trace) { say('process_completed', trace) }

    private synchronized void say(String event, TraceRecord trace) {
        final Map<String, Object> body = [:]
        body.runName = session.runName
        body.runId = session.uniqueId.toString()
        body.event = event
        body.utcTime = new Date().toInstant().toString()
        if( trace != null )
            body.trace = plain(trace.store)
        if( event == 'started' )
            body.metadata = [workflow: [resume: session.resumeMode]]
        post(JsonOutput.toJson(body))
    }

    private static Map<String, Object> plain(Map<String, Object> values) {
        values.collectEntries { String name, Object value ->
            [(name): value == null || value instanceof Number || value instanceof Boolean ? value : value.toString()]
        } as Map<String, Object>
    }

    private void post(String body) {
        try {
            final connection = (HttpURLConnection) url.openConnection(Proxy.NO_PROXY)
            connection.connectTimeout = ANSWER_MILLISECONDS_MAX
            connection.readTimeout = ANSWER_MILLISECONDS_MAX
            connection.requestMethod = 'POST'
            connection.doOutput = true
            connection.setRequestProperty('Content-Type', 'application/json')
            connection.outputStream.withStream { OutputStream out -> out.write(body.getBytes('UTF-8')) }
            if( connection.responseCode >= 300 )
                System.err.println("news: the receiver answered ${connection.responseCode}")
        }
        catch( IOException error ) {
            System.err.println("news: ${error.message}; the trace says it when the run is over")
        }
    }
}
