//! A prefix in an object store.

use std::io::{self, ErrorKind};
use std::sync::Arc;

use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode, PutPayload};
use tokio::runtime::Handle;

use crate::checkpoint_dir::Folder;

/// The objects of one prefix. Object stores have no locks, so a second job is noticed when it
/// creates an object that the first one has created.
#[derive(Debug)]
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// A request is a future, and runs here while the thread that wants it waits.
    runtime: Handle,
}

impl Objects {
    /// # Errors
    /// When there is no tokio runtime.
    pub(crate) fn new(store: Arc<dyn ObjectStore>, prefix: Path) -> io::Result<Objects> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        Ok(Objects {
            store,
            prefix,
            runtime,
        })
    }

    /// The environment has what the store needs besides the URL: for S3 `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION` and so on.
    ///
    /// # Errors
    /// When no store is known for the URL, or something is missing in the environment.
    pub(crate) fn at_url(url: &str) -> io::Result<Objects> {
        let url = url::Url::parse(url).map_err(io::Error::other)?;
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            // No setting of a store is anything else than text.
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        let (store, prefix) = object_store::parse_url_opts(&url, variables)?;
        Objects::new(Arc::from(store), prefix)
    }

    async fn content(&self, object: &Path) -> Result<Vec<u8>, Error> {
        let found = self.store.get(object).await?;
        Ok(found.bytes().await?.to_vec())
    }
}

impl Folder for Objects {
    fn names(&self) -> io::Result<Vec<String>> {
        let listing = self.store.list_with_delimiter(Some(&self.prefix));
        let listed = self.runtime.block_on(listing)?;
        let objects = listed.objects.into_iter();
        Ok(objects
            .filter_map(|object| object.location.filename().map(str::to_owned))
            .collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let object = self.prefix.clone().join(name);
        Ok(self.runtime.block_on(self.content(&object))?)
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let object = self.prefix.clone().join(name);
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime.block_on(self.store.put(&object, payload))?;
        Ok(())
    }

    fn create(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let object = self.prefix.clone().join(name);
        let payload = PutPayload::from(bytes.to_vec());
        self.runtime.block_on(async {
            let created = self
                .store
                .put_opts(&object, payload, PutMode::Create.into());
            match created.await {
                Ok(_) => Ok(()),
                // It may have been made by this very call, whose answer was lost.
                Err(_) if matches!(self.content(&object).await, Ok(found) if found == bytes) => {
                    Ok(())
                }
                Err(Error::AlreadyExists { .. }) => Err(io::Error::new(
                    ErrorKind::AlreadyExists,
                    "another job stores checkpoints here",
                )),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let object = self.prefix.clone().join(name);
        match self.runtime.block_on(self.store.delete(&object)) {
            // An earlier request whose answer was lost may have removed it.
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}
