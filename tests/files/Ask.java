import java.net.URI;
import java.net.http.*;

class Ask {
    public static void main(String[] url) throws Exception {
        var client = HttpClient.newHttpClient();
        var request = HttpRequest.newBuilder(URI.create(url[0]))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString("{\"hours\": 4}")).build();
        for (int i = 0; i < 3; i++)
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).body());
    }
}
