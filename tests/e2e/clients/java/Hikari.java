import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;

/** JDBC with HikariCP. {@code java Hikari require} or {@code verify}. */
public final class Hikari {
    private static HikariDataSource require() {
        // docs: require
        var config = new HikariConfig();
        config.setJdbcUrl(System.getenv("JDBC_URL"));
        var pool = new HikariDataSource(config);
        // end
        return pool;
    }

    private static HikariDataSource verify() {
        // docs: verify
        var config = new HikariConfig();
        config.setJdbcUrl(System.getenv("JDBC_URL").replace("sslmode=require",
            "sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt"));
        var pool = new HikariDataSource(config);
        // end
        return pool;
    }

    private static String ask(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    public static void main(String[] words) throws SQLException {
        try (var pool = words[0].equals("verify") ? verify() : require();
                var connection = pool.getConnection()) {
            var database = ask(connection, "SELECT current_database()");
            var prepared = 0;
            try (var statement = connection.prepareStatement("SELECT ?::int")) {
                for (var number = 0; number < 10; number++) { // prepared for good from the 5th on
                    statement.setInt(1, number);
                    try (var rows = statement.executeQuery()) {
                        rows.next();
                        prepared += rows.getInt(1);
                    }
                }
            }
            connection.setAutoCommit(false);
            try (var statement = connection.createStatement()) {
                statement.execute("CREATE TABLE unfinished (id int)");
            }
            connection.rollback();
            var unfinished = ask(connection, "SELECT to_regclass('unfinished')::text");
            connection.rollback();
            System.out.printf("{\"database\": \"%s\", \"prepared\": %d, \"unfinished\": %s}%n",
                database, prepared, unfinished);
        }
    }
}
