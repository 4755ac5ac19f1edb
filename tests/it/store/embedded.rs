//! The private cluster: made, shared, and gone with its last user, however that one goes.

use crate::support::cluster;

#[tokio::test]
async fn a_query_is_answered() {
    let (client, connection) = cluster()
        .connection("postgres")
        .connect(tokio_postgres::NoTls)
        .await
        .unwrap();
    tokio::spawn(connection);
    assert_eq!(client.query_one("select 1", &[]).await.unwrap().get::<_, i32>(0), 1);
}
